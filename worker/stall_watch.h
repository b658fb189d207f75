// Whom this worker is waiting for, and until when (R5, R7).
//
// Two things a client may not do for longer than the stall limit: block the room that an appender
// wants, and make no progress while it gets its last bytes. Only clients that do either are here,
// so on a good day the list is empty and nothing is timed.
#pragma once

#include "worker/client.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace chatserv {

class StallWatch {
public:
    using Clock = std::chrono::steady_clock;

    enum class Kind : uint8_t { room, farewell };

    struct Watched {
        ClientId client;
        Kind kind;
        Clock::time_point deadline;
        uint64_t log_offset; // farewell: the cursor when the deadline was set
    };

    explicit StallWatch(std::chrono::milliseconds limit) : limit_(limit) {}

    // Begins to time a client; one that is timed for the same thing already is left as it is.
    void add(const Client& client, Kind kind);
    void remove(ClientId client);

    // Stops timing for room those of whom has_got_on(ClientId) is true.
    template <typename HasGotOn>
    void release_room(HasGotOn has_got_on) {
        std::erase_if(room_, [&](const auto& item) { return has_got_on(item.second.client); });
    }

    [[nodiscard]] bool any_blocks_room() const { return !room_.empty(); }

    // Those whose time is over. They stay watched until removed or renewed.
    [[nodiscard]] std::vector<Watched> overdue(Clock::time_point now) const;
    // A client that has got on, though not far enough, has the limit anew.
    void renew(ClientId client, Kind kind, uint64_t log_offset, Clock::time_point now);

    [[nodiscard]] std::optional<Clock::time_point> earliest_deadline() const;

private:
    using Clients = std::unordered_map<uint64_t, Watched>; // by udata_of()

    [[nodiscard]] Clients& of(Kind kind) { return kind == Kind::room ? room_ : farewell_; }

    std::chrono::milliseconds limit_;
    Clients room_;
    Clients farewell_;
};

} // namespace chatserv
