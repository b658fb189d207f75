// The worker pool: the worker processes from their start to their end, and which of them serves
// which entry of the worker table.
//
// Every process begins as a spare. A spare that has said hello can be given an entry. The entry of
// a process that died is given to the next spare, and another spare is started in its place. The
// pool waits for no process: it is told what happened, and answers what follows.
#pragma once

#include "master/config/options.h"
#include "master/ledger/ledger.h"
#include "master/workers/entry_roll.h"
#include "master/workers/hang_judge.h"
#include "master/workers/seat_book.h"
#include "master/workers/start_delay.h"
#include "master/workers/worker_exit.h"
#include "master/workers/worker_process.h"
#include "master/workers/worker_starter.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chatserv {

// How many processes there are, and how many there should be.
struct Staff {
    uint32_t entries;       // that are to have a process, or have one
    uint32_t served;        // of those, how many have one
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
    // `users_of`: how many clients an entry has.
    WorkerPool(WorkerStarter starter, const Options& options, const Segment& segment,
        const Ledger& ledger, EventQueue& events, ServedClock& clock, Tag channel_tag,
        EntryRoll::UsersOf users_of);

    // Takes over the processes that the ledger names, without channels. To be called once, before
    // anything else. Returns their pids: their exits are to be watched. MW8: a process that was
    // forked and had not stored its pid finds its rendezvous closed, and ends.
    [[nodiscard]] std::vector<pid_t> take_over();
    // The entries that were left without a process, and are to be recovered once more (MW9).
    [[nodiscard]] std::vector<EntryId> dead_entries() const { return seats_.dead_entries(); }

    // Starts as many processes as are missing, unless a start delay runs. Returns the latest
    // refusal of the system, after which it is tried again later.
    [[nodiscard]] std::optional<StartFailure> replenish();
    // So many workers and spares are wanted from now on, and processes started from now on write
    // their log, as these options say.
    void follow(const Options& options) {
        starter_.follow(options);
        roll_.follow(options.workers);
        spares_wanted_ = options.spares;
    }
    // Processes started from now on keep the master's own rights.
    void keep_own_rights() { starter_.keep_own_rights(); }

    // Processes are started from the program of this upgrade. To be called before any is.
    void note_program(uint32_t upgrade) { upgrade_ = upgrade; }
    // The process is of another program, the one before an upgrade.
    [[nodiscard]] bool is_of_former_program(const WorkerProcess& process) const {
        return process.upgrade() != upgrade_;
    }

    // Null for a process that is no longer there: late word of it is to be ignored.
    [[nodiscard]] WorkerProcess* find(pid_t pid);
    // The process that serves the entry; null where none does.
    [[nodiscard]] WorkerProcess* process_of(EntryId entry) {
        return is_served(entry) ? find(roll_.pid_of(entry)) : nullptr;
    }
    [[nodiscard]] bool is_served(EntryId entry) const { return roll_.is_served(entry); }
    [[nodiscard]] const EntryRoll& roll() const { return roll_; }
    // The seat of that process.
    [[nodiscard]] std::optional<SeatId> seat_of(EntryId entry) const;
    [[nodiscard]] Staff staff() const;
    [[nodiscard]] std::vector<pid_t> pids() const;
    [[nodiscard]] bool empty() const { return processes_.empty(); }
    // There are more processes than are wanted.
    [[nodiscard]] bool has_too_many() const { return processes_.size() > processes_wanted(); }

    // Gives entries that need a process and have none to spares that are ready, those with the most
    // users first. Returns these entries.
    [[nodiscard]] std::vector<EntryId> assign_spares();

    // What it has proven to be, noted for a successor.
    void mark_ready(WorkerProcess& process) {
        process.mark_ready();
        seats_.note_ready(process.seat());
    }
    void mark_proven(WorkerProcess& process) {
        process.mark_proven();
        seats_.note_proven(process.seat());
    }
    // The process has exited. It can be reaped now, and must be removed then.
    void note_exit(const WorkerProcess& process) {
        seats_.note_exit(process.seat(), process.entry());
    }

    using Exit = WorkerExit;
    // Forgets a process that has exited; `wait_status`: of waitpid(2). Its seat stays taken until
    // what it served is recovered: vacate().
    [[nodiscard]] Exit remove(pid_t pid, std::optional<int> wait_status);
    void vacate(SeatId seat);
    // An entry that a reload has taken out of service, and that is recovered, gets no process more.
    // After another reload it may get one again (MW16). Nothing happens if it is retired already.
    void retire(EntryId entry);
    // Delays the next start where this process died young.
    void delay_start_after(const Exit& exit);

    // SIGKILLs a process; its exit will be told. `because` goes into the log then, or what was said
    // when it was to end by itself.
    void end(WorkerProcess& process, std::string because);
    // The process ends by itself, with no read or write of a client in flight: so nobody is in
    // doubt, even of those whose bytes the kernel does not count. One that does not is killed as
    // one that hangs, or by a successor of this master.
    void let_end(WorkerProcess& process, std::string because) {
        note_end(process, std::move(because));
        close_rendezvous(process);
    }
    // Ends a process that says what no worker says; it is then recovered like any other.
    void end_for_protocol_error(WorkerProcess& process);
    // When look() is due; nothing where no process is left and none is to be started.
    [[nodiscard]] std::optional<HangWatch::Clock::time_point> next_look() const;
    // Ends the processes that do not answer any more (P5), and starts others whose delay is over.
    // Returns as replenish() does.
    [[nodiscard]] std::optional<StartFailure> look();

    // Gives a process that has none a channel. Returns the end that it is to be sent; nothing if
    // the system has no descriptors or memory for a channel now.
    [[nodiscard]] UniqueFd open_channel(WorkerProcess& process);
    // Tells a process of the entry that it was given.
    static void tell_entry(WorkerProcess& process);
    // Sends what is queued in the channel, now or when the channel takes more.
    void send(WorkerProcess& process);
    // Closes the channel of a process that has ended, or that is to end.
    void hang_up(WorkerProcess& process);
    // Closes every channel and rendezvous, so that the processes end by themselves, and starts no
    // others.
    void dismiss_all();
    // SIGKILLs every process; their exits will be told.
    void kill_all() const;

private:
    [[nodiscard]] Tag tag_of(const WorkerProcess& process) const {
        return channel_tag_.with_generation(static_cast<uint32_t>(process.pid()));
    }
    [[nodiscard]] size_t processes_wanted() const { return roll_.present() + spares_wanted_; }
    void start_one();
    void note_end(WorkerProcess& process, std::string because);
    // Un-noted at once: the process may live on while other files get the number.
    void close_rendezvous(WorkerProcess& process) {
        process.close_rendezvous();
        seats_.note_rendezvous_closed(process.seat());
    }

    WorkerStarter starter_;
    const Segment& segment_;
    SeatBook seats_;
    StandingWords& standing_;
    EventQueue& events_;
    ServedClock& clock_;
    Tag channel_tag_;
    EntryRoll roll_;
    uint32_t spares_wanted_;
    std::chrono::milliseconds hang_limit_;
    HangJudge hang_judge_;
    std::map<pid_t, WorkerProcess> processes_;
    StartDelay start_delay_;
    uint32_t upgrade_ = 0;
    bool starting_allowed_ = true;
};

} // namespace chatserv
