// The worker pool: the worker processes from their start to their end, and which of them serves
// which entry of the worker table.
//
// Every process begins as a spare. A spare that has said hello can be given an entry. The entry of
// a process that died is given to the next spare, and another spare is started in its place. The
// pool waits for no process: it is told what happened, and answers what follows.
#pragma once

#include "master/config/options.h"
#include "master/workers/hang_judge.h"
#include "master/workers/start_delay.h"
#include "master/workers/worker_process.h"
#include "master/workers/worker_program.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chatserv {

// How many processes there are, and how many there should be.
struct Staff {
    uint32_t entries;       // of the worker table
    uint32_t served;        // of those, how many have a process
    uint32_t spares;        // ready, and without an entry
    uint32_t spares_wanted; //
    uint32_t starting;      // started, and not ready yet

    [[nodiscard]] bool all_served() const { return served == entries; }
    [[nodiscard]] bool complete() const {
        return starting == 0 && served + spares >= entries + spares_wanted;
    }
};

// No process could be started, or one could not begin its work.
struct StartFailure {
    std::string why;
    int error; // errno; 0: not a refusal of the system
};

class WorkerPool {
public:
    // `channel_tag`: the events of a process's channel have it, with the pid as its generation.
    WorkerPool(const WorkerProgram& program, const Options& options, const Segment& segment,
        const std::vector<FdPair>& doorbells, EventQueue& events, ServedClock& clock,
        Tag channel_tag);

    // Starts as many processes as are missing, unless a start delay runs. Returns the latest
    // refusal of the system, after which it is tried again later.
    [[nodiscard]] std::optional<StartFailure> replenish();
    // Processes started from now on keep the master's own rights.
    void keep_own_rights();

    // Null for a process that is no longer there: late word of it is to be ignored.
    [[nodiscard]] WorkerProcess* find(pid_t pid);
    // The process that serves the entry; null where none does.
    [[nodiscard]] WorkerProcess* process_of(EntryId entry);
    [[nodiscard]] bool is_served(EntryId entry) const { return pids_[index_of(entry)] != 0; }
    // The seat of that process.
    [[nodiscard]] std::optional<SeatId> seat_of(EntryId entry) const;
    [[nodiscard]] Staff staff() const;
    [[nodiscard]] std::vector<pid_t> pids() const;
    [[nodiscard]] bool empty() const { return processes_.empty(); }

    // Gives entries that no process serves to spares that are ready, those with the most users
    // first. Returns these entries.
    [[nodiscard]] std::vector<EntryId> assign_spares(
        const std::function<uint32_t(EntryId)>& users_of);

    struct Exit {
        pid_t pid;
        int wait_status;              // waitpid(2)
        std::optional<EntryId> entry; // that it served
        bool died_young;              // it had not proven itself, and may itself be at fault
        bool was_ready;               // it had said hello
        std::optional<CannotWork> cannot_work;
        std::string ended_because;     // empty: it died by itself
        ServedClock::time_point ended; // when the master ended it, or noticed its death

        // How it ended and why, on one line.
        [[nodiscard]] std::string cause() const;
    };
    // Forgets a process that has been reaped; `wait_status`: of waitpid(2).
    [[nodiscard]] Exit remove(pid_t pid, int wait_status);
    // Delays the next start where this process died young.
    void delay_start_after(const Exit& exit);

    // SIGKILLs a process; its exit will be told. `because` goes into the log then.
    void end(WorkerProcess& process, std::string because);
    // Ends a process that says what no worker says; it is then recovered like any other.
    void end_for_protocol_error(WorkerProcess& process);
    // When look() is due; nothing where no process is left and none is to be started.
    [[nodiscard]] std::optional<HangWatch::Clock::time_point> next_look() const;
    // Ends the processes that do not answer any more (P5), and starts others whose delay is over.
    // Returns as replenish() does.
    [[nodiscard]] std::optional<StartFailure> look();

    // Sends what is queued in the channel, now or when the channel takes more.
    void send(WorkerProcess& process);
    // Closes the channel of a process that has ended, or that is to end.
    void hang_up(WorkerProcess& process);
    // Closes every channel, so that the processes end by themselves, and starts no others.
    void dismiss_all();
    // SIGKILLs every process; their exits will be told.
    void kill_all() const;

private:
    [[nodiscard]] Tag tag_of(const WorkerProcess& process) const {
        return channel_tag_.with_generation(static_cast<uint32_t>(process.pid()));
    }
    void start_one();
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
    std::map<pid_t, WorkerProcess> processes_;
    std::vector<pid_t> pids_; // by entry; 0: no process
    StartDelay start_delay_;
    bool starting_allowed_ = true;
};

} // namespace chatserv
