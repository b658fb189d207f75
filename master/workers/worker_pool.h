// The worker pool: the worker processes, from their start to their end, and who of them serves
// which entry of the worker table.
//
// Every process begins as a spare. One that has said hello can be given an entry; an entry whose
// process died is given to the next spare, and another spare is started behind. A process that dies
// young throttles the starting of others, and so does a start that the system refuses. The pool
// waits for nobody: it is told of what happened and says what follows.
#pragma once

#include "master/config/options.h"
#include "master/workers/hang_judge.h"
#include "master/workers/worker_program.h"
#include "shared/ipc/channel.h"
#include "shared/ipc/protocol.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace chatserv {

class WorkerPool {
public:
    struct Process {
        pid_t pid;
        Channel channel;
        SeatId seat;                  // its place among the heartbeats
        std::optional<EntryId> entry; // none: a spare
        bool ready = false;           // has said hello
        bool proven = false;          // has taken up an entry, and settled what was in doubt
        ServedClock::time_point started{};
        bool lacks_log_file = false;             // had no descriptor left for it
        bool stopped = false;                    // by the master, since chaos asked for it
        std::optional<CannotWork> cannot_work{}; // why it ends before it is ready
        // Set where the master ended it: why, and when.
        std::string ended_because{};
        ServedClock::time_point ended{};
    };

    // `channel_tag`: the events of a process's channel have it, with the pid as its generation.
    WorkerPool(const WorkerProgram& program, const Options& options, const Segment& segment,
        const std::vector<FdPair>& doorbells, EventQueue& events, ServedClock& clock,
        Tag channel_tag);

    // Starts as many processes as are missing, unless starting is throttled. Where the system
    // refuses one, shortage() says why, and it is tried again later.
    void replenish();

    // Why there are fewer processes than wanted, from a start that failed until every process that
    // is wanted is ready; nothing at other times.
    struct Shortage {
        std::string why;
        int error;         // errno of the latest failure; 0: not the system's refusal
        uint32_t failures; // one after the other, with no process becoming ready in between
    };
    [[nodiscard]] const std::optional<Shortage>& shortage() const { return shortage_; }
    // A process was started, but ended before it was ready.
    void start_failed(const std::string& why, int error);
    // Processes started from now on keep the master's own rights.
    void keep_own_rights();

    // Null for a process that is no longer there: late word of it is to be ignored.
    [[nodiscard]] Process* find(pid_t pid);
    [[nodiscard]] Process* process_of(EntryId entry);
    [[nodiscard]] bool manned(EntryId entry) const { return pids_[index_of(entry)] != 0; }
    [[nodiscard]] bool all_manned() const;
    [[nodiscard]] uint32_t count_manned() const;
    [[nodiscard]] uint32_t count_spares() const; // that are ready
    [[nodiscard]] size_t spares_wanted() const { return processes_wanted_ - pids_.size(); }
    // Some process has been started and is not ready yet.
    [[nodiscard]] bool any_on_its_way() const;
    [[nodiscard]] bool empty() const { return processes_.empty(); }

    // Its hello has come: it can be given work.
    void mark_ready(Process& process);
    // Gives entries that nobody serves to spares that are ready, those with the most users first;
    // returns those entries.
    [[nodiscard]] std::vector<EntryId> man_entries(
        const std::function<uint32_t(EntryId)>& users_of);

    struct Departure {
        std::optional<EntryId> entry; // it served this one
        bool died_young;              // before it had proven itself; by itself, or not ready
        bool was_ready;               // had said hello
        int wait_status;              // as of waitpid(2)
        std::optional<CannotWork> cannot_work;
        std::string ended_because;     // empty: it died by itself
        ServedClock::time_point ended; // or of its death being noticed
    };
    // Forgets a process that has been reaped; `wait_status` as of waitpid(2).
    Departure remove(pid_t pid, int wait_status);
    // Puts off the next start where that process died young.
    void throttle_after(const Departure& departure);

    // SIGKILLs a process; its exit will be told. `because` goes into the log then.
    void end(Process& process, std::string because);
    // When look() is due; nothing where no process is left and none is to be started.
    [[nodiscard]] std::optional<HangWatch::Clock::time_point> next_look() const;
    // Ends those that do not answer any more (P5), and starts others where that was put off.
    void look();

    // Sends what is queued, now or when the channel takes more.
    void send(Process& process);
    // Tells a process, or each of them, that standard error is another file by now.
    void send_log_file(Process& process);
    void send_log_file();
    // Tells those again that had no descriptor left for it.
    void send_log_file_again();

    // Closes the channel of a process that has ended, or is to.
    void hang_up(Process& process);
    // Closes every channel, upon which the processes end by themselves; starts no others.
    void dismiss_all();
    void kill_all() const; // SIGKILL; their exits will be told

private:
    [[nodiscard]] Tag tag_of(const Process& process) const {
        return channel_tag_.with_generation(static_cast<uint32_t>(process.pid));
    }
    void start_one();
    void throttle(std::chrono::milliseconds pause);
    void end_hung();
    [[nodiscard]] std::optional<EntryId> most_urgent_entry(
        const std::function<uint32_t(EntryId)>& users_of) const;

    const WorkerProgram& program_;
    const Segment& segment_;
    const std::vector<FdPair>& doorbells_;
    EventQueue& events_;
    ServedClock& clock_;
    Tag channel_tag_;
    std::vector<std::string> common_arguments_; // the same for every process
    size_t processes_wanted_;
    std::chrono::milliseconds hang_limit_;
    HangJudge hang_judge_;
    std::map<pid_t, Process> processes_;
    std::vector<pid_t> pids_; // by entry; 0: nobody
    uint32_t died_young_ = 0; // one after the other
    uint32_t refused_ = 0;    // starts, one after the other
    std::optional<Shortage> shortage_{};
    // None: at once. No timer: where descriptors are short, one might not be had.
    std::optional<HangWatch::Clock::time_point> respawn_at_{};
    bool starting_allowed_ = true;
};

} // namespace chatserv
