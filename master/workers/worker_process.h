// One worker process as the master knows it: its channel, its seat among the heartbeats, the entry
// that it serves, and how far its life has got.
//
//     started -> ready (hello) -> given an entry -> proven (settled) -> ended
//
// A spare waits between ready and given an entry. A process can end at any point by itself, or
// because the master ended it; either way its exit is told to the master. Its channel can be
// replaced at any point (renewal.h): then it introduces itself anew.
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
    enum class Origin {
        own,       // this master has started it, and reaps it
        inherited, // a predecessor had
    };
    // `rendezvous`: the master's end, over which the process gets other channels.
    WorkerProcess(pid_t pid, Origin origin, Channel channel, UniqueFd rendezvous, SeatId seat,
        ServedClock::time_point started) :
        channel_(std::move(channel)),
        rendezvous_(std::move(rendezvous)), started_(started), pid_(pid), origin_(origin),
        seat_(seat) {}

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] bool is_inherited() const { return origin_ == Origin::inherited; }
    [[nodiscard]] Channel& channel() { return channel_; }
    void replace_channel(Channel channel) { channel_ = std::move(channel); }
    [[nodiscard]] int rendezvous() const { return rendezvous_.get(); }
    // The process ends by itself.
    void close_rendezvous() { rendezvous_.reset(); }
    [[nodiscard]] SeatId seat() const { return seat_; }
    [[nodiscard]] ServedClock::time_point started() const { return started_; }

    // The entry of the worker table that it serves; none: it is a spare.
    [[nodiscard]] std::optional<EntryId> entry() const { return entry_; }
    void give_entry(EntryId entry) { entry_ = entry; }

    // The number of the upgrade whose program it is; 0: the server's first.
    [[nodiscard]] uint32_t upgrade() const { return upgrade_; }
    void note_upgrade(uint32_t upgrade) { upgrade_ = upgrade; }

    // It has said hello, and can be given work.
    [[nodiscard]] bool ready() const { return ready_; }
    void mark_ready() { ready_ = true; }
    // How far it has got on a channel that replaces another.
    enum class Introduction {
        over,      // it has said everything; or its channel is its first
        awaited,   // it has not said hello yet
        under_way, // it has said hello
    };
    [[nodiscard]] Introduction introduction() const { return introduction_; }
    [[nodiscard]] bool awaits_hello() const { return introduction_ == Introduction::awaited; }
    [[nodiscard]] bool is_introduced() const { return introduction_ == Introduction::over; }
    void await_introduction() { introduction_ = Introduction::awaited; }
    void begin_introduction() { introduction_ = Introduction::under_way; }
    void end_introduction() { introduction_ = Introduction::over; }

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

    // Why it ends, once it is to. `now`: the instant from which its takeover is timed.
    void note_ended(std::string because, ServedClock::time_point now) {
        ended_because_ = std::move(because);
        ended_at_ = now;
    }
    // SIGKILL, once; its exit will be told.
    void kill();
    [[nodiscard]] bool ended() const { return !ended_because_.empty(); }
    // Empty where the master did not end it.
    [[nodiscard]] const std::string& ended_because() const { return ended_because_; }
    [[nodiscard]] ServedClock::time_point ended_at() const { return ended_at_; }

private:
    Channel channel_;
    UniqueFd rendezvous_;
    ServedClock::time_point started_;
    ServedClock::time_point ended_at_{};
    std::string ended_because_{};
    std::optional<CannotWork> cannot_work_{};
    pid_t pid_;
    Origin origin_;
    SeatId seat_;
    std::optional<EntryId> entry_{};
    uint32_t upgrade_ = 0;
    Introduction introduction_ = Introduction::over;
    bool ready_ = false;
    bool proven_ = false;
    bool stopped_ = false;
    bool killed_ = false;
};

} // namespace chatserv
