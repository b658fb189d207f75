// A bridge of the model: the product's own pass (bridge/room_pass.h), with all that it is made of,
// between the segment and the simulated stream. Only the loop around it is the model's own.
#pragma once

#include "bridge/room_pass.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "tests/model/joined/stream_engine.h"
#include "tests/model/simulator.h"

#include <chrono>
#include <cstdint>

namespace chatserv::model {

// The right way, and a wrong one that the model has to find: a successor that goes on from what was
// published, and does not ask what of it has counted.
enum class GoingOn { asks, remembers };

class BridgeProcess {
public:
    struct Surroundings {
        const Segment& segment;
        const Doorbells& doorbells; // for ringing
        Simulator& simulator;
        GoingOn going_on;
        bool roomy; // the broadcast log has room for everything
    };

    explicit BridgeProcess(const Surroundings& around);
    [[noreturn]] void run();

private:
    [[nodiscard]] Hash knowledge() const;

    const Surroundings& around_;
    StreamEngine engine_;
    Doorbell doorbell_;
    RoomPass pass_;
    RoomPass::Time now_{std::chrono::hours(1)};
    bool was_held_up_ = false;
};

[[noreturn]] void run_bridge(const BridgeProcess::Surroundings& around);
// Waits for the bridge's entry first.
[[noreturn]] void run_next_bridge(const BridgeProcess::Surroundings& around);

} // namespace chatserv::model
