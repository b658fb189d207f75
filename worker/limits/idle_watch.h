// The clients that have sent nothing for the idle timeout. They leave as if they had sent end of
// file, so they get what the log holds then.
//
// The instant at which a client was heard last is in its slot, in the served time of its entry, so
// a takeover gives the client no more time, and time in which the server stood still does not
// count. A client that moves to another entry takes along for how long it has been quiet, since
// two entries' served times differ; the time between two workers does not count. A client also
// counts as heard when it is attached, and as long as it is not read: its bytes may be waiting in
// its socket.
#pragma once

#include "shared/segment/served_clock.h"
#include "shared/segment/settings_records.h"
#include "worker/clients/client.h"
#include "worker/limits/deadlines.h"
#include "worker/limits/one_shot_timer.h"

#include <chrono>
#include <vector>

namespace chatserv {

class IdleWatch {
public:
    // A timeout of 0: no client is ever idle, and every function below does nothing.
    IdleWatch(EventQueue& events, ServedClock& clock, const RelaySettings& settings);

    // Another timeout from now on. No client is idle before it has passed once since the master
    // changed it (RelaySettings::idle_changed_ns). Returns true if every client that is read has to
    // be watched anew.
    [[nodiscard]] bool follow(const RelaySettings& settings);

    // Some bytes of the client were read, or it may have sent some while it was not read.
    void note_heard(const Client& client);
    // Begins to time a client that is read. One that is not heard has no need to send: it is never
    // idle.
    void watch(const Client& client);
    // For how long the client has sent nothing, in nanoseconds; `is_read`: it is not paused.
    [[nodiscard]] uint64_t quiet_ns(const Client& client, bool is_read) const;
    // When a client was heard last that has been quiet for so long: see UserSlot::heard_ns.
    [[nodiscard]] uint64_t heard_ns(uint64_t quiet_ns) const;
    // The client has left, or another worker serves it.
    void forget(ClientId client) { deadlines_.remove(client); }

    // The timer has gone off: the clients whose time may be over at `now`, which are not timed any
    // more. Read each that is_overdue(), since a worker that was held up or has just taken over may
    // not have read it for long; then ask is_idle().
    [[nodiscard]] std::vector<ClientId> take_due(ServedClock::time_point now);
    [[nodiscard]] bool is_overdue(const Client& client, ServedClock::time_point now);
    // Whether the client is idle. One that is not is timed again; `is_read`: it is not paused.
    [[nodiscard]] bool is_idle(const Client& client, bool is_read, ServedClock::time_point now);

    void arm_timer();
    // How long the worker may sleep at the most while clients are timed (served_clock.h).
    [[nodiscard]] ServedClock::duration sleep_max() const;

private:
    [[nodiscard]] ServedClock::time_point no_earlier_than() const;
    [[nodiscard]] ServedClock::time_point deadline_of(
        const Client& client, ServedClock::time_point now);

    ServedClock& clock_;
    std::chrono::milliseconds timeout_;
    uint64_t changed_ns_; // steady clock: when the timeout was changed; 0: never
    Deadlines<ServedClock> deadlines_;
    OneShotTimer<ServedClock> timer_;
};

} // namespace chatserv
