#include "master/workers/worker_pool.h"

#include "master/workers/hindrance.h"
#include "master/workers/reaping.h"
#include "master/workers/worker_events.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

// The places of both numbers among the arguments that every process gets (worker/start.h).
constexpr size_t uid_argument = 2;
constexpr size_t gid_argument = 3;

using Clock = std::chrono::steady_clock;

// A process that lives this long (in served time) has proven itself, though it may have had no
// client to serve.
constexpr std::chrono::seconds youth{1};

} // namespace

WorkerPool::WorkerPool(const WorkerProgram& program, const Options& options, const Segment& segment,
    const std::vector<FdPair>& doorbells, EventQueue& events, ServedClock& clock, Tag channel_tag) :
    program_(program),
    segment_(segment), doorbells_(doorbells), events_(events), clock_(clock),
    channel_tag_(channel_tag), common_arguments_{options.log_level,
                                   options.log_format == LogFormat::json ? "json" : "text",
                                   std::to_string(options.worker_uid),
                                   std::to_string(options.worker_gid)},
    processes_wanted_(options.workers + options.spares), hang_limit_(options.hang_limit),
    hang_judge_(segment.heartbeats(), options.hang_limit, clock), pids_(options.workers) {}

std::optional<StartFailure> WorkerPool::replenish() {
    std::optional<StartFailure> failure;
    while (starting_allowed_ && start_delay_.over() && processes_.size() < processes_wanted_) {
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

void WorkerPool::keep_own_rights() {
    common_arguments_[uid_argument] = std::to_string(::geteuid());
    common_arguments_[gid_argument] = std::to_string(::getegid());
}

void WorkerPool::start_one() {
    FdPair ends = make_stream_pair();
    std::vector<int> inherited{ends.second.get(), segment_.fd()};
    for (const FdPair& doorbell : doorbells_)
        inherited.insert(inherited.end(), {doorbell.first.get(), doorbell.second.get()});
    const SeatId seat = hang_judge_.enter(Clock::now());
    std::vector<std::string> arguments = common_arguments_;
    arguments.push_back(std::to_string(index_of(seat)));
    for (const int fd : inherited)
        arguments.push_back(std::to_string(fd));

    pid_t pid = 0;
    try {
        pid = program_.start(arguments, inherited);
    } catch (const std::system_error&) {
        hang_judge_.leave(seat);
        throw;
    }
    WorkerProcess& process =
        processes_.try_emplace(pid, pid, Channel(std::move(ends.first)), seat, clock_.now())
            .first->second;
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

WorkerProcess* WorkerPool::process_of(EntryId entry) {
    return is_served(entry) ? find(pids_[index_of(entry)]) : nullptr;
}

std::optional<SeatId> WorkerPool::seat_of(EntryId entry) const {
    const auto process = processes_.find(pids_[index_of(entry)]);
    return process == processes_.end() ? std::nullopt : std::optional(process->second.seat());
}

Staff WorkerPool::staff() const {
    Staff staff{.entries = static_cast<uint32_t>(pids_.size()),
        .served = 0,
        .spares = 0,
        .spares_wanted = static_cast<uint32_t>(processes_wanted_ - pids_.size()),
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

// The entry without a process that has the most users, of several the first; nothing where every
// entry has a process.
std::optional<EntryId> WorkerPool::most_urgent_entry(
    const std::function<uint32_t(EntryId)>& users_of) const {
    std::optional<EntryId> urgent;
    for (uint32_t index = 0; index < pids_.size(); ++index)
        if (const EntryId entry{index};
            !is_served(entry) && (!urgent || users_of(entry) > users_of(*urgent)))
            urgent = entry;
    return urgent;
}

std::vector<EntryId> WorkerPool::assign_spares(const std::function<uint32_t(EntryId)>& users_of) {
    std::vector<EntryId> newly_served;
    for (auto& [pid, process] : processes_) {
        if (!process.ready() || process.entry())
            continue;
        const auto vacant = most_urgent_entry(users_of);
        if (!vacant)
            break;
        pids_[index_of(*vacant)] = pid;
        process.give_entry(*vacant);
        WorkerEntry& shared = segment_.worker_table()[index_of(*vacant)];
        shared.pid = pid;
        ++shared.generation;
        const TakeEntry orders{.entry = *vacant};
        process.channel().queue(MessageType::take_entry, std::span(&orders, 1));
        newly_served.push_back(*vacant);
    }
    return newly_served;
}

std::string WorkerPool::Exit::cause() const {
    std::string cause = text_of_wait_status(wait_status);
    if (!ended_because.empty())
        cause += ", " + ended_because;
    if (cannot_work)
        cause += ", " + words_of(*cannot_work);
    return cause;
}

WorkerPool::Exit WorkerPool::remove(pid_t pid, int wait_status) {
    WorkerProcess& process = processes_.at(pid);
    hang_up(process);
    const ServedClock::time_point now = clock_.now();
    const bool may_be_at_fault = !process.ended() || !process.ready();
    Exit exit{.pid = pid,
        .wait_status = wait_status,
        .entry = process.entry(),
        .died_young = may_be_at_fault && !process.proven() && now - process.started() < youth,
        .was_ready = process.ready(),
        .cannot_work = process.cannot_work(),
        .ended_because = process.ended_because(),
        .ended = process.ended() ? process.ended_at() : now};
    hang_judge_.leave(process.seat());
    if (exit.entry) {
        pids_[index_of(*exit.entry)] = 0;
        segment_.worker_table()[index_of(*exit.entry)].pid = 0;
    }
    processes_.erase(pid);
    return exit;
}

void WorkerPool::delay_start_after(const Exit& exit) {
    if (!exit.died_young || !starting_allowed_) {
        start_delay_.died_proven();
        return;
    }
    const bool killed = exit.ended_because.empty() && WIFSIGNALED(exit.wait_status) &&
                        WTERMSIG(exit.wait_status) == SIGKILL;
    const std::chrono::milliseconds delay = start_delay_.died_young(killed, Clock::now());
    events::start_delayed(start_delay_.deaths(), delay);
}

void WorkerPool::send(WorkerProcess& process) {
    if (process.channel().flush() != Channel::Sent::partly)
        return; // if the process is gone, its exit will be told
    const int error = events_.watch_writable_once(process.channel().fd(), tag_of(process));
    if (error != 0)
        end(process, fmt::format("its channel cannot be watched: {}", std::strerror(error)));
}

void WorkerPool::end(WorkerProcess& process, std::string because) {
    if (process.ended())
        return;
    hang_judge_.ignore(process.seat());
    process.end(std::move(because), clock_.now());
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
    for (auto& [pid, process] : processes_)
        hang_up(process);
}

void WorkerPool::kill_all() const {
    for (const auto& [pid, process] : processes_)
        ::kill(pid, SIGKILL);
}

} // namespace chatserv
