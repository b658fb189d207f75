#include "master/worker_pool.h"

#include "shared/logging.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <sys/wait.h>
#include <system_error>

namespace chatserv {

namespace {

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

} // namespace

WorkerPool::WorkerPool(const WorkerProgram& program, const Options& options, const Region& region,
    const std::vector<FdPair>& doorbells, EventQueue& events, ServedClock& clock,
    uint64_t channel_udata) :
    program_(program),
    region_(region), doorbells_(doorbells), events_(events), clock_(clock),
    channel_udata_(channel_udata), common_arguments_{options.log_level,
                                       options.log_format == LogFormat::json ? "json" : "text",
                                       std::to_string(options.worker_uid),
                                       std::to_string(options.worker_gid)},
    processes_wanted_(options.workers + options.spares), hang_limit_(options.hang_limit),
    hang_judge_(region.heartbeats(), options.hang_limit, clock), pids_(options.workers) {}

void WorkerPool::replenish() {
    while (starting_allowed_ && !respawn_at_ && processes_.size() < processes_wanted_) {
        try {
            start_one();
        } catch (const std::system_error& failure) {
            log_error("worker_not_started",
                fmt::format("no worker could be started: {}; trying again", failure.what()));
            ++died_young_;
            throttle(true);
        }
    }
}

void WorkerPool::start_one() {
    FdPair ends = make_stream_pair();
    std::vector<int> inherited{ends.second.get(), region_.fd()};
    for (const FdPair& doorbell : doorbells_)
        inherited.insert(inherited.end(), {doorbell.first.get(), doorbell.second.get()});
    const uint32_t seat = hang_judge_.enter(Clock::now());
    std::vector<std::string> arguments = common_arguments_;
    arguments.push_back(std::to_string(seat));
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
    const auto channel = static_cast<uintptr_t>(process.channel.fd());
    int error = events_.change(
        channel, EVFILT_READ, EV_ADD, NOTE_NODATA, 0, channel_udata_ | static_cast<uint32_t>(pid));
    if (error == 0)
        error = events_.change(
            static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT);
    if (error != 0) { // nothing would tell of its end: better it ends now
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        processes_.erase(pid);
        hang_judge_.leave(seat);
        throw std::system_error(error, std::generic_category(), "watching it");
    }
}

void WorkerPool::throttle(bool own_fault) {
    const int64_t delay =
        own_fault
            ? std::min(respawn_delay_ms_min << std::min(died_young_ - 1, 16U), respawn_delay_ms_max)
            : std::min(respawn_delay_ms_after_kill * died_young_, respawn_delay_ms_min);
    log_warning("respawn_delayed",
        fmt::format("{} worker processes in a row ended before their first work: the next is "
                    "started in {} ms",
            died_young_, delay));
    respawn_at_ = Clock::now() + std::chrono::milliseconds(delay);
}

WorkerPool::Process* WorkerPool::find(pid_t pid) {
    const auto found = processes_.find(pid);
    return found == processes_.end() ? nullptr : &found->second;
}

bool WorkerPool::any_starting() const {
    return std::any_of(
        processes_.begin(), processes_.end(), [](const auto& item) { return !item.second.ready; });
}

WorkerPool::Process* WorkerPool::process_of(uint16_t entry) {
    return manned(entry) ? find(pids_[entry]) : nullptr;
}

bool WorkerPool::all_manned() const {
    return std::all_of(pids_.begin(), pids_.end(), [](pid_t pid) { return pid != 0; });
}

std::vector<uint16_t> WorkerPool::man_entries() {
    std::vector<uint16_t> newly_manned;
    for (auto& [pid, process] : processes_) {
        if (!process.ready || process.entry)
            continue;
        const auto vacant = std::find(pids_.begin(), pids_.end(), 0);
        if (vacant == pids_.end())
            break;
        *vacant = pid;
        process.entry = static_cast<uint16_t>(vacant - pids_.begin());
        WorkerEntry& shared = region_.worker_table()[*process.entry];
        shared.pid = pid;
        ++shared.generation;
        const TakeEntry orders{.entry = *process.entry};
        process.channel.queue(
            static_cast<uint16_t>(MessageType::take_entry), std::span(&orders, 1));
        newly_manned.push_back(*process.entry);
    }
    return newly_manned;
}

WorkerPool::Departure WorkerPool::remove(pid_t pid, int wait_status) {
    Process& process = processes_.at(pid);
    hang_up(process);
    const bool by_itself = process.ended_because.empty();
    const Departure departure{.entry = process.entry,
        .died_young = by_itself && !process.proven && clock_.now() - process.started < youth,
        .ended_because = std::move(process.ended_because),
        .ended = by_itself ? clock_.now() : process.ended};
    hang_judge_.leave(process.seat);
    if (process.entry) {
        pids_[*process.entry] = 0;
        region_.worker_table()[*process.entry].pid = 0;
    }
    processes_.erase(pid);
    if (departure.died_young && starting_allowed_) {
        const bool killed = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
        ++died_young_;
        throttle(!killed);
    } else {
        died_young_ = 0;
    }
    return departure;
}

void WorkerPool::send(Process& process) {
    if (process.channel.flush() != Channel::Sent::partly)
        return; // where the process is gone, its exit will be told
    const int error = events_.change(static_cast<uintptr_t>(process.channel.fd()), EVFILT_WRITE,
        EV_ADD | EV_ONESHOT, 0, 0, channel_udata_ | static_cast<uint32_t>(process.pid));
    if (error != 0)
        end(process, fmt::format("its channel cannot be watched: {}", std::strerror(error)));
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
    for (const uint32_t seat : hang_judge_.hung(Clock::now()))
        for (auto& [pid, process] : processes_)
            if (process.seat == seat)
                end(process,
                    fmt::format("it did not answer for {} ms (--hang-limit)", hang_limit_.count()));
}

void WorkerPool::hang_up(Process& process) {
    if (!process.channel.open())
        return;
    const auto channel = static_cast<uintptr_t>(process.channel.fd());
    [[maybe_unused]] const int gone = events_.change(channel, EVFILT_READ, EV_DELETE);
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
