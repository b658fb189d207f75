// The clients that hold up others, and the timer for them (R5, R7): which clients block the room
// that an appender wants, how long they may, and why they have to leave then.
//
// StallWatch knows when a client's time is over. This class knows the worker's clients, the timer
// and the reasons.
#pragma once

#include "shared/ipc/protocol.h"
#include "shared/segment/settings_records.h"
#include "worker/clients/roster.h"
#include "worker/limits/one_shot_timer.h"
#include "worker/limits/stall_watch.h"
#include "worker/limits/timers.h"

#include <vector>

namespace chatserv {

class RoomWatch {
public:
    RoomWatch(EventQueue& events, ServedClock& clock, const RelaySettings& settings);

    // Other limits from now on, unless these are in force already. The time of each client that
    // holds up others begins anew.
    void follow(const RelaySettings& settings, Roster& roster);

    // The client's socket is full.
    void fell_behind(Client& client);
    // The client has everything.
    static void caught_up(Client& client) { StallWatch::caught_up(client); }

    // Whether a client's cursor is below `wanted`. At the first look after an appender has asked
    // for that offset, all clients are compared with it, and those below it are timed from then on.
    [[nodiscard]] bool any_blocks(Roster& roster, uint64_t wanted, bool first_look);
    // Whether the client was below the offset of the last look, and still was when it was compared
    // with it last.
    [[nodiscard]] bool blocks(ClientId client) const { return stalls_.blocks_room(client); }
    // A client that has come from another worker is below the offset of the last look.
    void add_blocking(Client& newcomer);
    // The room of several hosts is over: nobody appends any more, so that no client is in the way
    // from now on.
    void end_demands() {
        has_demands_ = false;
        stalls_.release_room([](ClientId) { return true; });
    }
    // The client gets its last bytes: it has to make progress within the stall limit. The caller
    // arms the timer.
    void add_closing(const Client& client);
    // The client has left, or another worker serves it.
    void forget(ClientId client) { stalls_.remove(client); }

    struct Overdue {
        ClientId client;
        LeaveReason reason;
    };
    // The timer has gone off: the clients that have to leave. A client that drained enough gets
    // more time.
    [[nodiscard]] std::vector<Overdue> take_overdue(const Roster& roster);

    void arm_timer();
    // Some client's time is running.
    [[nodiscard]] bool times_anybody() const { return stalls_.times_anybody(); }
    // How long the worker may sleep at the most (served_clock.h). A client whose socket is full may
    // come to block the room, so its time is running too.
    [[nodiscard]] ServedClock::duration sleep_max(const Roster& roster) const;

private:
    [[nodiscard]] LeaveReason reason_of(
        const StallWatch::Watched& watched, const Client& client) const;

    ServedClock& clock_;
    std::chrono::milliseconds limit_;
    uint32_t min_drain_bytes_;
    StallWatch stalls_;
    OneShotTimer<ServedClock> timer_;
    bool has_demands_ = true;
};

} // namespace chatserv
