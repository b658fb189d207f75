#include "master/workers/worker_pool.h"

#include "master/ledger/master_point.h"
#include "master/workers/worker_events.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

using Clock = std::chrono::steady_clock;

// A process that lives this long (in served time) has proven itself, though it may have had no
// client to serve.
constexpr std::chrono::seconds youth{1};

} // namespace

WorkerPool::WorkerPool(WorkerStarter starter, const Options& options, const Segment& segment,
    const Ledger& ledger, EventQueue& events, ServedClock& clock, Tag channel_tag,
    EntryRoll::UsersOf users_of) :
    starter_(std::move(starter)),
    segment_(segment), seats_(ledger), standing_(ledger.standing()), events_(events), clock_(clock),
    channel_tag_(channel_tag),
    roll_(segment.header().workers, options.workers, std::move(users_of)),
    spares_wanted_(options.spares), hang_limit_(options.hang_limit),
    hang_judge_(segment.heartbeats(), options.hang_limit, clock) {}

std::vector<pid_t> WorkerPool::take_over() {
    start_delay_.restore(standing_.died_young);
    std::vector<pid_t> inherited;
    for (SeatBook::Seated& seated : seats_.seated()) {
        UniqueFd rendezvous(seated.rendezvous);
        // The pid of a process that has ended may be another process's: it may be reaped already.
        if (seated.pid == 0 || seated.state == SeatState::ended) {
            rendezvous.reset();
            seats_.note_empty(seated.seat);
            continue;
        }
        // It is not known when it was started. To have started is not held against it.
        const ServedClock::time_point started = clock_.now() - youth;
        hang_judge_.enter_running(seated.seat, Clock::now());
        WorkerProcess& process =
            processes_
                .try_emplace(seated.pid, seated.pid, WorkerProcess::Origin::inherited,
                    Channel(UniqueFd()), std::move(rendezvous), seated.seat, started)
                .first->second;
        process.note_upgrade(seated.upgrade);
        if (seated.state == SeatState::ready)
            process.mark_ready();
        if (seated.proven)
            process.mark_proven();
        if (seated.entry) {
            process.give_entry(*seated.entry);
            roll_.give(*seated.entry, seated.pid);
        }
        if (!seated.ended_because.empty())
            end(process, std::move(seated.ended_because)); // the kill may have been left undone
        inherited.push_back(seated.pid);
    }
    return inherited;
}

std::optional<StartFailure> WorkerPool::replenish() {
    std::optional<StartFailure> failure;
    while (starting_allowed_ && start_delay_.over() && processes_.size() < processes_wanted()) {
        try {
            start_one();
        } catch (const std::system_error& refusal) {
            events::worker_not_started(refusal.what());
            failure = {.why = refusal.what(), .error = refusal.code().value()};
            start_delay_.refused(Clock::now());
        }
    }
    return failure;
}

void WorkerPool::start_one() {
    FdPair ends = make_stream_pair();
    FdPair rendezvous = make_stream_pair();
    const SeatId seat = hang_judge_.enter(Clock::now());
    const PidWord pid_word = seats_.note_starting(seat, rendezvous.first.get(), upgrade_);
    master_point(MasterPoint::seat_noted); // MW8
    pid_t pid = 0;
    try {
        pid = starter_.start(
            seat, {.channel = ends.second.get(), .rendezvous = rendezvous.second.get()}, pid_word);
        master_point(MasterPoint::worker_forked);
    } catch (const std::system_error&) {
        rendezvous.first.reset();
        vacate(seat);
        throw;
    }
    WorkerProcess& process =
        processes_
            .try_emplace(pid, pid, WorkerProcess::Origin::own, Channel(std::move(ends.first)),
                std::move(rendezvous.first), seat, clock_.now())
            .first->second;
    process.note_upgrade(upgrade_);
    const int error = events_.watch_readable(process.channel().fd(), tag_of(process));
    if (error != 0) { // nothing that it says would be heard
        end(process, "its channel cannot be watched");
        throw_error(error, "watching its channel");
    }
    // A system that refuses this (a container's filter, an old kernel) tells of the exit all the
    // same, by SIGCHLD.
    (void)events_.watch_exit(pid);
    start_delay_.started();
}

WorkerProcess* WorkerPool::find(pid_t pid) {
    const auto found = processes_.find(pid);
    return found == processes_.end() ? nullptr : &found->second;
}

std::optional<SeatId> WorkerPool::seat_of(EntryId entry) const {
    const auto process = processes_.find(roll_.pid_of(entry));
    return process == processes_.end() ? std::nullopt : std::optional(process->second.seat());
}

Staff WorkerPool::staff() const {
    Staff staff{.entries = roll_.present(),
        .served = 0,
        .spares = 0,
        .spares_wanted = spares_wanted_,
        .starting = 0};
    for (const auto& [pid, process] : processes_)
        ++(!process.ready() ? staff.starting : process.entry() ? staff.served : staff.spares);
    return staff;
}

std::vector<pid_t> WorkerPool::pids() const {
    std::vector<pid_t> pids;
    for (const auto& [pid, process] : processes_)
        pids.push_back(pid);
    return pids;
}

std::vector<EntryId> WorkerPool::assign_spares() {
    std::vector<EntryId> newly_served;
    for (auto& [pid, process] : processes_) {
        if (!process.ready() || process.entry() || !process.is_introduced())
            continue;
        const auto vacant = roll_.most_urgent();
        if (!vacant)
            break;
        seats_.note_manned(*vacant, process.seat());
        master_point(MasterPoint::entry_given); // MW10
        roll_.give(*vacant, pid);
        process.give_entry(*vacant);
        WorkerEntry& shared = segment_.worker_table()[index_of(*vacant)];
        shared.pid = pid;
        ++shared.generation;
        tell_entry(process);
        newly_served.push_back(*vacant);
    }
    return newly_served;
}

WorkerPool::Exit WorkerPool::remove(pid_t pid, std::optional<int> wait_status) {
    WorkerProcess& process = processes_.at(pid);
    hang_up(process);
    const ServedClock::time_point now = clock_.now();
    const bool may_be_at_fault = !process.ended() || !process.ready();
    Exit exit{.pid = pid,
        .wait_status = wait_status,
        .seat = process.seat(),
        .entry = process.entry(),
        .died_young = may_be_at_fault && !process.proven() && now - process.started() < youth,
        .was_ready = process.ready(),
        .cannot_work = process.cannot_work(),
        .ended_because = process.ended_because(),
        .ended = process.ended() ? process.ended_at() : now};
    hang_judge_.ignore(process.seat());
    if (exit.entry) {
        roll_.take_back(*exit.entry);
        segment_.worker_table()[index_of(*exit.entry)].pid = 0;
    }
    processes_.erase(pid);
    return exit;
}

// A successor that finds the seat as it was recovers the entry once more.
void WorkerPool::vacate(SeatId seat) {
    seats_.note_empty(seat);
    hang_judge_.leave(seat);
}

void WorkerPool::retire(EntryId entry) {
    if (!seats_.note_vacant(entry))
        return;
    events::worker_retired(entry);
    master_point(MasterPoint::entry_retired);
}

void WorkerPool::delay_start_after(const Exit& exit) {
    if (!exit.died_young || !starting_allowed_) {
        start_delay_.died_proven();
        standing_.died_young = 0;
        return;
    }
    const std::chrono::milliseconds delay =
        start_delay_.died_young(exit.was_killed_from_outside(), Clock::now());
    standing_.died_young = start_delay_.deaths();
    events::start_delayed(start_delay_.deaths(), delay);
}

UniqueFd WorkerPool::open_channel(WorkerProcess& process) {
    FdPair ends;
    try {
        ends = make_stream_pair();
    } catch (const std::system_error&) { // no descriptors, no memory
        return {};
    }
    process.replace_channel(Channel(std::move(ends.first)));
    const int error = events_.watch_readable(process.channel().fd(), tag_of(process));
    if (error == 0)
        return std::move(ends.second);
    process.channel().close();
    return {};
}

void WorkerPool::tell_entry(WorkerProcess& process) {
    const TakeEntry orders{.entry = process.entry().value()};
    process.channel().queue(MessageType::take_entry, std::span(&orders, 1));
}

void WorkerPool::send(WorkerProcess& process) {
    if (process.channel().flush() != Channel::Sent::partly)
        return; // if the process is gone, its exit will be told
    const int error = events_.watch_writable_once(process.channel().fd(), tag_of(process));
    if (error != 0)
        end(process, fmt::format("its channel cannot be watched: {}", std::strerror(error)));
}

void WorkerPool::end(WorkerProcess& process, std::string because) {
    hang_judge_.ignore(process.seat());
    note_end(process, std::move(because));
    process.kill();
}

void WorkerPool::note_end(WorkerProcess& process, std::string because) {
    if (process.ended())
        return;
    seats_.note_end(process.seat(), because);
    master_point(MasterPoint::end_noted);
    process.note_ended(std::move(because), clock_.now());
}

void WorkerPool::end_for_protocol_error(WorkerProcess& process) {
    events::protocol_broken(process.pid());
    end(process, "it broke the protocol");
    hang_up(process);
}

std::optional<HangWatch::Clock::time_point> WorkerPool::next_look() const {
    const auto hung = hang_judge_.next_look();
    const auto start = start_delay_.until();
    return start ? std::min(hung.value_or(*start), *start) : hung;
}

std::optional<StartFailure> WorkerPool::look() {
    for (const SeatId seat : hang_judge_.hung(Clock::now()))
        for (auto& [pid, process] : processes_)
            if (process.seat() == seat)
                end(process,
                    fmt::format("it did not answer for {} ms (--hang-limit)", hang_limit_.count()));
    return start_delay_.take_due(Clock::now()) ? replenish() : std::nullopt;
}

void WorkerPool::hang_up(WorkerProcess& process) {
    if (!process.channel().open())
        return;
    events_.unwatch_readable(process.channel().fd());
    process.channel().close();
}

void WorkerPool::dismiss_all() {
    starting_allowed_ = false;
    start_delay_.cancel();
    for (auto& [pid, process] : processes_) {
        hang_up(process);
        close_rendezvous(process);
    }
}

void WorkerPool::kill_all() const {
    for (const auto& [pid, process] : processes_)
        ::kill(pid, SIGKILL);
}

} // namespace chatserv
