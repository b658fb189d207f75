// The process of a companion, as the master sees it: a program beside the workers, of which one
// process runs at most (the metrics process, the bridge). Its owner decides when there is to be one
// and what its death means; this class starts, watches, takes over, ends and reaps it.
//
// Nobody waits for it. It inherits the end of its *lifeline*: a socket from which nothing comes but
// the end of file, when no process of the server holds the other end any more. Then it ends. The
// ledger has a seat for it, as for a worker (seat_book.h), so a successor takes the process over.
#pragma once

#include "master/config/options.h"
#include "master/ledger/ledger.h"
#include "master/start/program_file.h"
#include "master/workers/exit_watch.h"
#include "master/workers/seat_book.h"
#include "master/workers/start_delay.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv {

class CompanionProcess {
public:
    using Clock = std::chrono::steady_clock;

    static constexpr SeatId seat{0}; // the only one

    // Repairs what the process has left half done in memory that it shared. It is called after each
    // death, and once more if the master dies before the seat is empty.
    using Recover = std::function<void()>;
    static void recover_nothing() {}

    // `seats`: the one of this companion. `upgrade`: the number of the one whose program this is.
    // What is borrowed must outlive this object.
    CompanionProcess(std::span<SeatRecord> seats, EventQueue& events, uint32_t upgrade) :
        seats_(seats), exit_watch_(events), upgrade_(upgrade) {}

    // What a dead master has left.
    enum class Left {
        nothing,  // there is no process
        running,  // there is one of this master's program
        outdated, // there is one of another program: it is to be ended
    };
    // In a successor, once, before anything else: takes over the process of the dead master.
    [[nodiscard]] Left take_over(const Recover& recover = recover_nothing);

    // Whether one can be started now: there is none, and no delay runs.
    [[nodiscard]] bool start_is_due(Clock::time_point now);
    // What the process is to be: `lifeline` is its end, which it inherits. Its pid_word is of no
    // account.
    using Describe = std::function<ProgramFile::Child(int lifeline)>;
    // Starts one; there is none. Throws std::system_error where the system refuses one; then there
    // is none, and put_off() is due.
    void start(const ProgramFile& program, const Describe& describe);
    // The system refused what a start needs: the next one is to wait.
    void put_off() { delay_.refused(Clock::now()); }

    // In each turn, before anything is decided: asks for the exit of a process that is not watched
    // yet. True if that has ended: bury() is due.
    [[nodiscard]] bool watch_exit(Clock::time_point now);
    // Whether it has exited, as far as waitid(2) and a NOTE_EXIT tell. `is_told`: by NOTE_EXIT.
    // Late word can come of an earlier process of that number: this one has not exited then.
    [[nodiscard]] bool has_ended(bool is_told) const;

    struct Death {
        pid_t pid;
        std::optional<int> wait_status; // waitpid(2); none: an earlier master had started it
        bool is_proven;                 // it had lived long enough not to be at fault
        bool is_ended;                  // end() was called
    };
    // It has ended. Reaps it, recovers what it leaves, and gives up its seat.
    Death bury(const Recover& recover = recover_nothing);
    // The next start is to wait for so long, after this death, which nobody wanted.
    [[nodiscard]] std::chrono::milliseconds delay_after(const Death& death);

    // SIGKILL, through no fault of the process. False where there is none, or this was done before.
    bool end();
    // kill(2). There is one.
    void send_signal(int signal) const;

    // When watch_exit() or a start is due; nothing where no time matters.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const;
    // True where a process that an earlier master had started has ended since this was asked last:
    // the keeper may reap it now (may_reap()).
    [[nodiscard]] bool take_may_reap() { return std::exchange(may_reap_, false); }

    [[nodiscard]] pid_t pid() const { return pid_; } // 0: there is none now
    // end() was called for the process, or for the last one if there is none.
    [[nodiscard]] bool is_ended() const { return is_ended_; }

private:
    SeatBook seats_;
    ExitWatch exit_watch_;
    StartDelay delay_;
    uint32_t upgrade_;
    pid_t pid_ = 0;
    UniqueFd lifeline_{};
    Clock::time_point started_{};
    bool is_inherited_ = false; // an earlier master had started it
    bool is_ended_ = false;     // by this master
    bool may_reap_ = false;
};

// The words with which the arguments of every companion begin: LOG_LEVEL LOG_FORMAT UID GID, the
// latter two being what the process is to become.
[[nodiscard]] std::vector<std::string> first_arguments(
    const Options& options, const Ledger& ledger);

} // namespace chatserv
