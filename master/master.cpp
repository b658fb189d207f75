// Master: its making and its events. Its phases are in phases.cpp, newcomers in accepting.cpp, what
// it does with its workers in workers.cpp and manning.cpp.
#include "master/master.h"

#include "master/clients/listeners.h"
#include "master/start/start_step.h"
#include "master/workers/account_check.h"
#include "shared/segment/memory_fault.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/failure.h"
#include "shared/system/logging.h"
#include "shared/system/signals.h"

#include "config.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <iterator>
#include <sysexits.h>

namespace chatserv {

namespace {

constexpr std::chrono::seconds worth_telling{1}; // of a standstill

constexpr int unexpected_signals[] = {
    SIGUSR1,
    SIGUSR2,
    SIGALRM,
    SIGVTALRM,
    SIGPROF,
    SIGXCPU,
#ifdef SIGIO
    SIGIO,
#endif
#ifdef SIGPWR
    SIGPWR,
#endif
#ifdef SIGSTKFLT
    SIGSTKFLT,
#endif
};

std::vector<FdPair> make_doorbells(uint32_t count) {
    std::vector<FdPair> pipes;
    std::generate_n(std::back_inserter(pipes), count, make_pipe);
    return pipes;
}

std::string megabytes(uint64_t bytes) {
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1024 * 1024));
}

Failure no_memory(const Options& options, const MemoryRefused& refusal) {
    const int error = refusal.code().value();
    const std::string why =
        refusal.available_bytes()
            ? fmt::format("and there are {}", megabytes(*refusal.available_bytes()))
            : fmt::format("which the system refused ({})", std::strerror(error));
    return {EX_OSERR,
        fmt::format("the shared memory needs {}, {}: choose a smaller --log-size (it is {} bytes) "
                    "or fewer --users (they are {}), or {}",
            megabytes(refusal.needed_bytes()), why, options.log_bytes, options.users,
            error == EFBIG ? "raise the limit of file sizes (ulimit -f, LimitFSIZE=)"
                           : "give the server more memory")};
}

// Zeroing so many gigabytes takes a while.
Segment make_segment(const Options& options) {
    const StartStep step("reserving shared memory",
        fmt::format("choose a smaller --log-size (it is {} bytes)", options.log_bytes), EX_OSERR,
        {.limit = std::chrono::minutes(10)});
    try {
        return Segment::create({.users = options.users,
            .workers = options.workers,
            .processes = options.workers + options.spares,
            .log_bytes = options.log_bytes,
            .settings = {.stall_limit_ms = static_cast<uint32_t>(options.stall_limit.count()),
                .hang_limit_ms = static_cast<uint32_t>(options.hang_limit.count()),
                .min_drain_bytes = options.min_drain_bytes,
                .slow_policy = options.slow_policy,
                .max_rate_bytes = options.max_rate_bytes,
                .idle_timeout_ms = static_cast<uint32_t>(options.idle_timeout.count())}});
    } catch (const MemoryRefused& refusal) {
        throw no_memory(options, refusal);
    }
}

// Said at the start, since it decides what the death of a worker can cost.
bool check_account() {
    const std::string why_not = why_account_is_unreliable();
    if (why_not.empty())
        log_info("kernel_account", "the kernel's account of each connection is in force: a worker "
                                   "that dies costs nobody anything");
    else
        log_warning("kernel_account",
            fmt::format("no kernel account of connections ({}): a worker that dies costs the one "
                        "user that it was serving at that instant the connection",
                why_not));
    return why_not.empty();
}

// The log's first lines. They come after everything that the options ask of the system, so that a
// start that fails prints one line, the reason.
bool begin_log(const Options& options) {
    log_info("starting",
        fmt::format("chatserv {} is starting: at most {} users, {} workers, {} spare",
            CHATSERV_VERSION, options.users, options.workers, options.spares),
        {{"version", std::string(CHATSERV_VERSION)}, {"users", int64_t{options.users}},
            {"workers", int64_t{options.workers}}, {"spares", int64_t{options.spares}}});
    return check_account();
}

} // namespace

Master::Master(const Options& options, const WorkerProgram& program, LogFile& log_file) :
    clock_(served_, ServedClock::allowance_for(std::chrono::hours(1))),
    control_socket_(open_control_socket(options)), segment_(make_segment(options)),
    doorbell_pipes_(make_doorbells(options.workers)),
    doorbells_(segment_.worker_table(), doorbell_pipes_),
    listeners_(make_listeners(options.listen)),
    admission_({options.allow, options.deny, options.max_per_address}),
    escrow_(UserTable(segment_), options.workers, begin_log(options)), takeovers_(options.workers),
    log_file_(log_file),
    turned_away_(events_, clock_, MasterEvent::turned_away, turned_away_timer_ident),
    pool_(program, options, segment_, doorbell_pipes_, events_, clock_, MasterEvent::channel),
    outbox_(options.workers), stopped_reading_(options.workers), stall_limit_(options.stall_limit),
    hang_limit_(options.hang_limit), keepalive_seconds_(options.keepalive_seconds),
    worker_user_(options.user), worker_user_by_default_(options.user_by_default) {
    explain_memory_faults(segment_.bytes());
    watch_signals();
    start_control();
}

// Signals have a kqueue to themselves, which the other one watches: the Linux layer asks the system
// for each signal's disposition before it lets a kqueue sleep that has signals in it, and the
// master is to wake up once a second for the heartbeats at no more than the cost of waking up.
void Master::watch_signals() {
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) {
        // Ignored by whoever started the server, who may mean the keyboard's signals for others (a
        // shell script does so for what it starts with `&`). SIGTERM is always meant.
        if (signal != SIGTERM && is_ignored(signal))
            continue;
        std::signal(signal, SIG_IGN);
        require(signals_.watch_signal(signal), "watching for signals");
    }
    for (const int signal : {SIGHUP, SIGCHLD})
        require(signals_.watch_signal(signal), "watching for signals");
    // Ignored, and said to be so. Not those that the system sends where a write fails, which says
    // it as well, or would fail if the signal were not ignored (SIGTTOU).
    for (const int signal : unexpected_signals)
        (void)signals_.watch_signal(signal);
    require(events_.watch_readable(signals_.fd(), MasterEvent::signals), "watching for signals");
}

int Master::run() {
    (void)clock_.now();
    (void)clock_.take_found(); // the start takes as long as it takes
    reap_children(); // those that ended before anybody watched: another program's, before exec(2)
    pool_.replenish();
    while (phase_ != Phase::dismissing || !pool_.empty()) {
        const std::span<const EventQueue::Event> events = events_.wait(time_to_sleep());
        tell_standstill();
        pool_.look();
        if (control_)
            control_->look();
        // Newcomers last: whoever left in the meantime has made room for them.
        std::vector<const EventQueue::Event*> accepting;
        for (const EventQueue::Event& event : events) {
            if (tag_of(event).kind<MasterEvent>() == MasterEvent::listener)
                accepting.push_back(&event);
            else
                handle(event);
        }
        for (const EventQueue::Event* const event : accepting)
            handle(*event);
        read_on();
        try_to_accept_again();
        send_again();
        for (uint32_t index = 0; index < outbox_.size(); ++index)
            send_clients(EntryId{index});
        look_at_staff();
        advance_stop();
        say_dropped_lines(); // once a second at the least: so often the heartbeats are looked at
    }
    return exit_status_;
}

// For how long at the most the master is about to sleep, as its clock is told.
std::optional<std::chrono::nanoseconds> Master::time_to_sleep() {
    (void)clock_.now();
    auto time = until_next_look();
    if (const ServedClock::duration longest = sleep_max(); longest != ServedClock::duration::max())
        time = std::min(time.value_or(longest), longest);
    clock_.about_to_sleep(time.value_or(ServedClock::duration::max()));
    return time;
}

// While a limit runs: see served_clock.h.
ServedClock::duration Master::sleep_max() const {
    auto longest = ServedClock::duration::max();
    const auto runs = [&](ServedClock::duration limit) {
        longest = std::min(longest, ServedClock::sleep_max(limit));
    };
    if (!turned_away_.empty())
        runs(turned_away_time);
    if (takeovers_.any_under_way() || pool_.any_on_its_way())
        runs(std::chrono::seconds(1));
    if (phase_ != Phase::starting && phase_ != Phase::serving)
        runs(stop_limit());
    return longest;
}

// So that nobody wonders what became of that time. Shorter ones are the business of a machine that
// has more to do than it can.
void Master::tell_standstill() {
    (void)clock_.now();
    const std::chrono::duration<double> time = clock_.take_found();
    if (time >= worth_telling)
        log_warning("stood_still",
            fmt::format("the server stood still for {:.1f} s (stopped or suspended); no time limit "
                        "counts that",
                time.count()),
            {{"seconds", time.count()}});
}

std::optional<std::chrono::nanoseconds> Master::until_next_look() const {
    if (!unread_.empty())
        return std::chrono::nanoseconds::zero();
    auto next = pool_.next_look();
    if (accept_pause_)
        next = std::min(next.value_or(accept_pause_->retry_at), accept_pause_->retry_at);
    if (send_again_at_)
        next = std::min(next.value_or(*send_again_at_), *send_again_at_);
    if (!next)
        return std::nullopt;
    return std::max(*next - HangWatch::Clock::now(), HangWatch::Clock::duration::zero());
}

void Master::handle(const EventQueue::Event& event) {
    if (is_timer(event))
        return handle_timer(timer_of(event));
    if (is_exit(event))
        return handle_exit(pid_of(event));
    const Tag tag = tag_of(event);
    switch (tag.kind<MasterEvent>()) {
    case MasterEvent::listener:
        if (phase_ == Phase::serving)
            (void)accept_clients(listeners_[tag.index()]);
        return;
    case MasterEvent::channel:
        return handle_channel(static_cast<pid_t>(tag.generation()));
    case MasterEvent::turned_away:
        return turned_away_.readable(descriptor_of(event));
    case MasterEvent::control:
        return control_->handle(
            event, [this](const Control::Request& request) { return answer(request); });
    case MasterEvent::signals:
        return handle_signals();
    }
}

void Master::handle_signals() {
    for (const EventQueue::Event& event : signals_.wait(std::chrono::nanoseconds::zero())) {
        const int signal = signal_of(event);
        if (signal == SIGCHLD)
            reap_children();
        else if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT)
            for (int64_t count = 0; count < times_of(event); ++count)
                handle_stop(signal);
        else
            handle_signal(signal);
    }
}

void Master::handle_timer(uintptr_t ident) {
    switch (ident) {
    case turned_away_timer_ident:
        turned_away_.timer();
        break;
    case stop_timer_ident:
        stop_timer();
        break;
    default:
        break;
    }
}

} // namespace chatserv
