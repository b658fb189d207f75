#include "master/workers/worker_pool.h"

#include "shared/system/errors.h"
#include "shared/system/logging.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

// Their places among the arguments that are the same for every process (worker/main.cpp).
constexpr size_t uid_argument = 2;
constexpr size_t gid_argument = 3;

using Clock = std::chrono::steady_clock;

// A process that lives this long (by served time) has proven itself, though it may have had nobody
// to serve.
constexpr std::chrono::seconds youth{1};

// Between a death before the first work and the next start: doubled from death to death where the
// processes fail by themselves, for then the next will fail as well; little where something from
// outside kills them.
constexpr int64_t respawn_delay_ms_min = 100;
constexpr int64_t respawn_delay_ms_max = 10'000;
constexpr int64_t respawn_delay_ms_after_kill = 10;
// Between refusals of the system the delay is doubled as well, but to no more than this: to ask
// costs nothing, and users may be waiting for a worker.
constexpr int64_t respawn_delay_ms_max_refused = 1000;

// The delay after so many failures in a row, the first of them included.
int64_t doubled_delay_ms(uint32_t failures, int64_t max) {
    return std::min(respawn_delay_ms_min << std::min(failures - 1, 16U), max);
}

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

void WorkerPool::replenish() {
    while (starting_allowed_ && !respawn_at_ && processes_.size() < processes_wanted_) {
        try {
            start_one();
        } catch (const std::system_error& failure) {
            log_debug("worker_not_started",
                fmt::format("no process could be started: {}", failure.what()));
            ++refused_;
            start_failed(failure.what(), failure.code().value());
            throttle(std::chrono::milliseconds(
                doubled_delay_ms(refused_, respawn_delay_ms_max_refused)));
        }
    }
}

void WorkerPool::start_failed(const std::string& why, int error) {
    const uint32_t failures = shortage_ ? shortage_->failures + 1 : 1;
    shortage_ = {.why = why, .error = error, .failures = failures};
}

void WorkerPool::mark_ready(Process& process) {
    process.ready = true;
    if (!shortage_)
        return;
    shortage_->failures = 0;
    if (processes_.size() >= processes_wanted_ && !any_on_its_way())
        shortage_.reset();
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
    Process& process = processes_
                           .emplace(pid, Process{.pid = pid,
                                             .channel = Channel(std::move(ends.first)),
                                             .seat = seat,
                                             .entry = std::nullopt,
                                             .started = clock_.now()})
                           .first->second;
    const int error = events_.watch_readable(process.channel.fd(), tag_of(process));
    if (error != 0) { // it would not be heard: better it ends now
        end(process, "its channel cannot be watched");
        throw_error(error, "watching its channel");
    }
    // A system that refuses this (a container's filter, an old kernel) tells of its end all the
    // same: by SIGCHLD.
    (void)events_.watch_exit(pid);
    refused_ = 0;
}

void WorkerPool::throttle(std::chrono::milliseconds pause) {
    respawn_at_ = Clock::now() + pause;
}

WorkerPool::Process* WorkerPool::find(pid_t pid) {
    const auto found = processes_.find(pid);
    return found == processes_.end() ? nullptr : &found->second;
}

WorkerPool::Process* WorkerPool::process_of(EntryId entry) {
    return manned(entry) ? find(pids_[index_of(entry)]) : nullptr;
}

bool WorkerPool::all_manned() const {
    return std::all_of(pids_.begin(), pids_.end(), [](pid_t pid) { return pid != 0; });
}

uint32_t WorkerPool::count_manned() const {
    return static_cast<uint32_t>(
        std::count_if(pids_.begin(), pids_.end(), [](pid_t pid) { return pid != 0; }));
}

uint32_t WorkerPool::count_spares() const {
    return static_cast<uint32_t>(std::count_if(processes_.begin(), processes_.end(),
        [](const auto& item) { return item.second.ready && !item.second.entry; }));
}

bool WorkerPool::any_on_its_way() const {
    return std::any_of(
        processes_.begin(), processes_.end(), [](const auto& item) { return !item.second.ready; });
}

// The entry without a process that has the most users, of several the first; nothing where every
// entry has a process.
std::optional<EntryId> WorkerPool::most_urgent_entry(
    const std::function<uint32_t(EntryId)>& users_of) const {
    std::optional<EntryId> urgent;
    for (uint32_t index = 0; index < pids_.size(); ++index)
        if (const EntryId entry{index};
            !manned(entry) && (!urgent || users_of(entry) > users_of(*urgent)))
            urgent = entry;
    return urgent;
}

std::vector<EntryId> WorkerPool::man_entries(const std::function<uint32_t(EntryId)>& users_of) {
    std::vector<EntryId> newly_manned;
    for (auto& [pid, process] : processes_) {
        if (!process.ready || process.entry)
            continue;
        const auto vacant = most_urgent_entry(users_of);
        if (!vacant)
            break;
        pids_[index_of(*vacant)] = pid;
        process.entry = vacant;
        WorkerEntry& shared = segment_.worker_table()[index_of(*process.entry)];
        shared.pid = pid;
        ++shared.generation;
        const TakeEntry orders{.entry = *process.entry};
        process.channel.queue(MessageType::take_entry, std::span(&orders, 1));
        newly_manned.push_back(*process.entry);
    }
    return newly_manned;
}

WorkerPool::Departure WorkerPool::remove(pid_t pid, int wait_status) {
    Process& process = processes_.at(pid);
    hang_up(process);
    const bool by_itself = process.ended_because.empty();
    const bool may_be_at_fault = by_itself || !process.ready;
    const Departure departure{.entry = process.entry,
        .died_young = may_be_at_fault && !process.proven && clock_.now() - process.started < youth,
        .was_ready = process.ready,
        .wait_status = wait_status,
        .cannot_work = process.cannot_work,
        .ended_because = std::move(process.ended_because),
        .ended = by_itself ? clock_.now() : process.ended};
    hang_judge_.leave(process.seat);
    if (process.entry) {
        pids_[index_of(*process.entry)] = 0;
        segment_.worker_table()[index_of(*process.entry)].pid = 0;
    }
    processes_.erase(pid);
    return departure;
}

void WorkerPool::throttle_after(const Departure& departure) {
    if (!departure.died_young || !starting_allowed_) {
        died_young_ = 0;
        return;
    }
    const bool killed = departure.ended_because.empty() && WIFSIGNALED(departure.wait_status) &&
                        WTERMSIG(departure.wait_status) == SIGKILL;
    ++died_young_;
    const int64_t delay =
        killed ? std::min(respawn_delay_ms_after_kill * died_young_, respawn_delay_ms_min)
               : doubled_delay_ms(died_young_, respawn_delay_ms_max);
    log_warning("respawn_delayed",
        fmt::format("{} worker processes in a row ended before their first work: the next is "
                    "started in {} ms",
            died_young_, delay));
    throttle(std::chrono::milliseconds(delay));
}

void WorkerPool::send(Process& process) {
    if (process.channel.flush() != Channel::Sent::partly)
        return; // where the process is gone, its exit will be told
    const int error = events_.watch_writable_once(process.channel.fd(), tag_of(process));
    if (error != 0)
        end(process, fmt::format("its channel cannot be watched: {}", std::strerror(error)));
}

// The descriptor is borrowed until it is sent, and whichever file it is then is the right one.
void WorkerPool::send_log_file(Process& process) {
    process.lacks_log_file = false;
    if (!process.channel.open())
        return;
    const int log = STDERR_FILENO;
    process.channel.queue(MessageType::log_file, std::span<const char>(), std::span(&log, 1));
    send(process);
}

void WorkerPool::send_log_file() {
    for (auto& [pid, process] : processes_)
        send_log_file(process);
}

void WorkerPool::send_log_file_again() {
    for (auto& [pid, process] : processes_)
        if (process.lacks_log_file)
            send_log_file(process);
}

void WorkerPool::end(Process& process, std::string because) {
    if (!process.ended_because.empty())
        return;
    process.ended_because = std::move(because);
    process.ended = clock_.now();
    hang_judge_.ignore(process.seat);
    ::kill(process.pid, SIGKILL);
}

std::optional<HangWatch::Clock::time_point> WorkerPool::next_look() const {
    const auto hung = hang_judge_.next_look();
    if (!respawn_at_)
        return hung;
    return std::min(hung.value_or(*respawn_at_), *respawn_at_);
}

void WorkerPool::look() {
    end_hung();
    if (respawn_at_ && *respawn_at_ <= Clock::now()) {
        respawn_at_.reset();
        replenish();
    }
}

void WorkerPool::end_hung() {
    for (const SeatId seat : hang_judge_.hung(Clock::now()))
        for (auto& [pid, process] : processes_)
            if (process.seat == seat)
                end(process,
                    fmt::format("it did not answer for {} ms (--hang-limit)", hang_limit_.count()));
}

void WorkerPool::hang_up(Process& process) {
    if (!process.channel.open())
        return;
    events_.unwatch_readable(process.channel.fd());
    process.channel.close();
}

void WorkerPool::dismiss_all() {
    starting_allowed_ = false;
    respawn_at_.reset();
    for (auto& [pid, process] : processes_)
        hang_up(process);
}

void WorkerPool::kill_all() const {
    for (const auto& [pid, process] : processes_)
        ::kill(pid, SIGKILL);
}

} // namespace chatserv
