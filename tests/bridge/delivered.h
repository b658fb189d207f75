// What an engine has delivered to a host, over all its bridges: an engine that passes everything on
// and notes it. It shows whether the logs of two hosts differ because the stream told them
// different things, which is the engine's fault, or because they made different things of it, which
// is ours.
#pragma once

#include "bridge/engine/engine.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace chatserv::test {

// By number, the messages that were delivered under it: one, if the stream is what it promises.
using Delivered = std::multimap<uint64_t, std::string>;

class NotingEngine : public Engine {
public:
    // `delivered` outlives the engine.
    NotingEngine(std::unique_ptr<Engine> engine, Delivered& delivered) :
        engine_(std::move(engine)), delivered_(delivered) {}

    [[nodiscard]] bool publish(std::string_view message) override {
        return engine_->publish(message);
    }
    void begin(Beginning beginning) override { engine_->begin(beginning); }
    void replay(uint64_t from) override { engine_->replay(from); }
    [[nodiscard]] std::optional<Delivery> take() override;
    [[nodiscard]] Link link() const override { return engine_->link(); }
    [[nodiscard]] int fd() const override { return engine_->fd(); }
    void look() override { engine_->look(); }

private:
    std::unique_ptr<Engine> engine_;
    Delivered& delivered_;
};

// The first number under which another message was delivered to one than to the other, or to one
// of them at two times.
[[nodiscard]] std::optional<uint64_t> first_difference(
    const Delivered& one, const Delivered& other);

// A line for each message delivered under this number and a few around it: number, digest and what
// the message says.
[[nodiscard]] std::string text_around(uint64_t number, const Delivered& delivered);

} // namespace chatserv::test
