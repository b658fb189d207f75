// Whom this worker is waiting for, and until when (R5, R7).
//
// Two things a client may not do for longer than the stall limit: block the room that an appender
// wants, unless it drains enough of the log meanwhile, and make no progress while it gets its last
// bytes. Only clients that do either are here, so on a good day the list is empty and nothing is
// timed.
//
// How much a client drains is measured by what has arrived at its end, as far as the system tells
// (a socket holds megabytes, of which a third must be free before it takes more), and from the
// instant at which its socket was full, whether it blocks the room then or later. So those who
// stall together cost one limit together, and one that has not read for a whole limit before it
// blocks the room is not waited for any more. Bytes trickling are no escape: what counts is the
// average, until the client has caught up.
#pragma once

#include "shared/segment/served_clock.h"
#include "worker/clients/client.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace chatserv {

class StallWatch {
public:
    using Clock = ServedClock;

    enum class Kind : uint8_t { room, farewell };

    struct Watched {
        ClientId client;
        Kind kind;
        Clock::time_point deadline;
        uint64_t arrived_bytes; // farewell: what had arrived when the deadline was set
    };

    // `min_drain_bytes`: a second, over the limit at least.
    StallWatch(std::chrono::milliseconds limit, uint32_t min_drain_bytes, SlowPolicy policy) :
        limit_(limit), min_drain_bytes_(min_drain_bytes), policy_(policy) {}

    [[nodiscard]] SlowPolicy policy() const { return policy_; }

    // The client's socket is full; it has everything.
    static void fell_behind(Client& client, Clock::time_point now);
    static void caught_up(Client& client) { client.drain.open = false; }

    // Begins to time a client; one that is timed for the same thing already is left as it is.
    void add_room(Client& client, Clock::time_point now);
    void add_farewell(const Client& client, Clock::time_point now);
    void remove(ClientId client);

    // Stops timing for room those of whom has_got_on(ClientId) is true.
    template <typename HasGotOn>
    void release_room(HasGotOn has_got_on) {
        std::erase_if(room_, [&](const auto& item) { return has_got_on(item.second.client); });
    }

    [[nodiscard]] bool any_blocks_room() const { return !room_.empty(); }
    [[nodiscard]] bool times_anybody() const { return !room_.empty() || !farewell_.empty(); }

    // Those whose time is over. They stay watched until removed or renewed.
    [[nodiscard]] std::vector<Watched> overdue(Clock::time_point now) const;
    // Of one that is overdue: renews its time where it has deserved that, and otherwise says false.
    [[nodiscard]] bool renew(const Watched& watched, Client& client, Clock::time_point now);

    [[nodiscard]] std::optional<Clock::time_point> earliest_deadline() const;

private:
    using Clients = std::unordered_map<uint64_t, Watched>; // by key_of()

    [[nodiscard]] Clients& of(Kind kind) { return kind == Kind::room ? room_ : farewell_; }
    [[nodiscard]] bool has_drained_enough(
        const Client& client, uint64_t arrived_bytes, Clock::time_point now) const;

    std::chrono::milliseconds limit_;
    uint32_t min_drain_bytes_;
    SlowPolicy policy_;
    Clients room_;
    Clients farewell_;
};

} // namespace chatserv
