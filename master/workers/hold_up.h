// The hold-up: users without a worker that keep the log full.
//
// No process reads the log for a user without a worker. Once the log is full, all other users would
// wait for it, and no worker times it. So from then on the master gives these users the stall
// limit, as a worker gives a slow reader.
#pragma once

#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"

#include <chrono>
#include <optional>
#include <span>
#include <vector>

namespace chatserv {

class HoldUp {
public:
    using Clock = std::chrono::steady_clock;

    HoldUp(const Segment& segment, std::chrono::milliseconds stall_limit, SlowPolicy policy) :
        segment_(segment), stall_limit_(stall_limit), policy_(policy) {}

    // Other limits from now on; a hold-up that lasts begins anew.
    void follow(std::chrono::milliseconds stall_limit, SlowPolicy policy) {
        stall_limit_ = stall_limit;
        policy_ = policy;
        reset();
    }

    // Looks at the users that have no worker now. Returns those that have to be disconnected; after
    // that, every worker has to be woken, because an appender may be waiting for the room.
    [[nodiscard]] std::vector<ClientId> look(
        std::span<const ClientId> without_worker, Clock::time_point now);
    // No worker is missing.
    void reset() { hold_up_.reset(); }

private:
    struct Begun {
        Clock::time_point last_look;
        std::chrono::nanoseconds lasted;
    };

    [[nodiscard]] std::vector<ClientId> in_the_way(std::span<const ClientId> without_worker) const;

    const Segment& segment_;
    std::chrono::milliseconds stall_limit_;
    SlowPolicy policy_;
    std::optional<Begun> hold_up_{};
};

} // namespace chatserv
