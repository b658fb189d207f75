// The clients that hold up others, and how long they may (R5, R7).
//
// For longer than the stall limit a client may not block the room that an appender wants, unless it
// drains enough of the log meanwhile; nor may it fail to make progress while it gets its last
// bytes. Only clients that do one of these are here, so usually no client is timed.
//
// How much a client drains is measured at its own end, as far as the system tells: a socket holds
// megabytes, and a third of them must be free before it takes more. The measurement begins when the
// client's socket is full, even if the client comes to block the room later. So clients that stall
// together cost one limit together, and a client that did not read for a whole limit before it
// blocks the room is disconnected at once. A trickle of bytes does not help: the average over the
// last limit counts, until the client has caught up. It is taken four times per limit, as the
// buffers of a client that reads nothing may take as much at first as is asked of it for a limit.
#pragma once

#include "shared/segment/served_clock.h"
#include "shared/segment/settings_records.h"
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

    enum class Kind : uint8_t { room, closing };

    struct Watched {
        ClientId client;
        Kind kind;
        Clock::time_point deadline;
        uint64_t arrived_bytes; // closing: how much had arrived when the deadline was set
    };

    // `min_drain_bytes`: per second, on average over at least the limit.
    StallWatch(std::chrono::milliseconds limit, uint32_t min_drain_bytes, SlowPolicy policy) :
        limit_(limit), min_drain_bytes_(min_drain_bytes), policy_(policy) {}

    [[nodiscard]] SlowPolicy policy() const { return policy_; }

    // Other limits from now on. The time of each client that is timed begins anew; measure_anew()
    // does the same for how much it drains.
    void follow(std::chrono::milliseconds limit, uint32_t min_drain_bytes, SlowPolicy policy,
        Clock::time_point now);
    static void measure_anew(Client& client, Clock::time_point now);

    // The client's socket is full; the client has everything.
    static void fell_behind(Client& client, Clock::time_point now);
    static void caught_up(Client& client) { client.drain.close(); }

    // Begins to time a client, unless it is timed for the same thing already.
    void add_room(Client& client, Clock::time_point now);
    void add_closing(const Client& client, Clock::time_point now);
    void remove(ClientId client);

    // Stops timing for room the clients for which is_past(ClientId) returns true.
    template <typename IsPast>
    void release_room(IsPast is_past) {
        std::erase_if(room_, [&](const auto& item) { return is_past(item.second.client); });
    }

    [[nodiscard]] bool blocks_room(ClientId client) const { return room_.contains(key_of(client)); }
    [[nodiscard]] bool any_blocks_room() const { return !room_.empty(); }
    [[nodiscard]] bool times_anybody() const { return !room_.empty() || !closing_.empty(); }

    // The clients that have to be looked at. They stay timed until they are removed or renewed.
    [[nodiscard]] std::vector<Watched> overdue(Clock::time_point now) const;
    // Gives such a client more time if its limit is not over yet, or it drained enough or made
    // progress; otherwise returns false.
    [[nodiscard]] bool renew(const Watched& watched, Client& client, Clock::time_point now);

    [[nodiscard]] std::optional<Clock::time_point> earliest_deadline() const;

private:
    using Clients = std::unordered_map<uint64_t, Watched>; // by key_of()

    [[nodiscard]] Clients& of(Kind kind) { return kind == Kind::room ? room_ : closing_; }
    [[nodiscard]] Clock::time_point next_look(const Client& client, Clock::time_point now) const;
    // Of a client that blocks the room.
    [[nodiscard]] bool may_go_on(
        Client& client, uint64_t arrived_bytes, Clock::time_point now) const;
    [[nodiscard]] bool has_drained_enough(
        const Client& client, uint64_t arrived_bytes, Clock::time_point now) const;

    std::chrono::milliseconds limit_;
    uint32_t min_drain_bytes_;
    SlowPolicy policy_;
    Clients room_;
    Clients closing_;
};

} // namespace chatserv
