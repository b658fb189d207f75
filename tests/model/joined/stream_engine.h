// The engine of the model's bridge: what it publishes and reads is the stream of the simulation.
#pragma once

#include "bridge/engine/engine.h"
#include "shared/segment/segment.h"
#include "tests/model/simulator.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace chatserv::model {

class StreamEngine final : public Engine {
public:
    StreamEngine(Simulator& simulator, const Segment& segment) :
        simulator_(simulator), outbound_(segment.outbound_control()) {}

    // A step: others see what was published.
    [[nodiscard]] bool publish(std::string_view message) override;
    void begin(Beginning beginning) override;
    void replay(uint64_t from) override;
    // No step: nobody else can tell when the engine hands a message over.
    [[nodiscard]] std::optional<Delivery> take() override;
    [[nodiscard]] Link link() const override { return {.state = LinkState::delivering}; }
    [[nodiscard]] int fd() const override { return -1; }
    void look() override;

    // kevent(2) with the bridge's timeout: waits for one of these if the bridge `sleeps`.
    struct Events {
        bool rung;
        bool readable;
    };
    // `follows`: the engine's messages are events. `is_due`: time can be one, and if there is no
    // other it was.
    [[nodiscard]] Events wait(bool sleeps, bool follows, bool is_due) const;

    // All that the bridge has done with this engine, and how far it knows the outbound log: with
    // that, what the bridge knows.
    [[nodiscard]] Hash knowledge() const;

private:
    void deliver_from(uint64_t next);
    void note(uint64_t value);

    Simulator& simulator_;
    const LogControl& outbound_;
    Hash done_;
    uint64_t seen_head_ = 0;
};

} // namespace chatserv::model
