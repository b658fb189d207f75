// One worker process as the master knows it: its channel, its seat among the heartbeats, the entry
// that it serves, and how far its life has got.
//
//     started -> ready (hello) -> given an entry -> proven (settled) -> ended
//
// A spare waits between ready and given an entry. A process can end at any point by itself, or
// because the master ended it; either way its exit is told to the master.
#pragma once

#include "shared/ipc/channel.h"
#include "shared/ipc/protocol.h"
#include "shared/segment/served_clock.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace chatserv {

// Until a process that had no descriptor left for what it was sent is sent it again.
inline constexpr std::chrono::seconds resend_pause{1};

class WorkerProcess {
public:
    WorkerProcess(pid_t pid, Channel channel, SeatId seat, ServedClock::time_point started) :
        channel_(std::move(channel)), started_(started), pid_(pid), seat_(seat) {}

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] Channel& channel() { return channel_; }
    [[nodiscard]] SeatId seat() const { return seat_; }
    [[nodiscard]] ServedClock::time_point started() const { return started_; }

    // The entry of the worker table that it serves; none: it is a spare.
    [[nodiscard]] std::optional<EntryId> entry() const { return entry_; }
    void give_entry(EntryId entry) { entry_ = entry; }

    // It has said hello, and can be given work.
    [[nodiscard]] bool ready() const { return ready_; }
    void mark_ready() { ready_ = true; }
    // It has taken up an entry and settled what was in doubt.
    [[nodiscard]] bool proven() const { return proven_; }
    void mark_proven() { proven_ = true; }
    // It told why it cannot become ready.
    [[nodiscard]] const std::optional<CannotWork>& cannot_work() const { return cannot_work_; }
    void note_cannot_work(const CannotWork& words) { cannot_work_ = words; }

    // SIGSTOP: from then on it does not answer, and the hang watch finds it. False where the system
    // refused that.
    [[nodiscard]] bool stop();
    [[nodiscard]] bool stopped() const { return stopped_; }

    // SIGKILL, once; its exit will be told. `because` goes into the log then. `now`: the instant
    // from which its takeover is timed.
    void end(std::string because, ServedClock::time_point now);
    [[nodiscard]] bool ended() const { return !ended_because_.empty(); }
    // Empty where the master did not end it.
    [[nodiscard]] const std::string& ended_because() const { return ended_because_; }
    [[nodiscard]] ServedClock::time_point ended_at() const { return ended_at_; }

private:
    Channel channel_;
    ServedClock::time_point started_;
    ServedClock::time_point ended_at_{};
    std::string ended_because_{};
    std::optional<CannotWork> cannot_work_{};
    pid_t pid_;
    SeatId seat_;
    std::optional<EntryId> entry_{};
    bool ready_ = false;
    bool proven_ = false;
    bool stopped_ = false;
};

} // namespace chatserv
