// Master: its making and its events. Its phases are in phases.cpp, newcomers in accepting.cpp, what
// it does with its workers in workers.cpp and manning.cpp.
#include "master/master.h"

#include "master/account_check.h"
#include "master/failure.h"
#include "shared/logging.h"
#include "shared/signals.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <sysexits.h>
#include <system_error>

namespace chatserv {

namespace {

constexpr uint64_t kind_of(uint64_t udata) {
    return udata & ~0xffff'ffffULL;
}

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

Region make_region(const Options& options) {
    try {
        return Region::create({.users = options.users,
            .workers = options.workers,
            .log_bytes = options.log_bytes,
            .stall_limit_ms = static_cast<uint32_t>(options.stall_limit.count()),
            .processes = options.workers + options.spares,
            .hang_limit_ms = static_cast<uint32_t>(options.hang_limit.count()),
            .min_drain_bytes = options.min_drain_bytes,
            .slow_policy = options.slow_policy,
            .max_rate_bytes = options.max_rate_bytes,
            .idle_timeout_ms = static_cast<uint32_t>(options.idle_timeout.count())});
    } catch (const std::system_error& failure) {
        throw Failure(EX_OSERR, fmt::format("{}; free some shared memory or choose a smaller "
                                            "--log-size (it is {} bytes)",
                                    failure.what(), options.log_bytes));
    }
}

Failure cannot_listen(const Address& address, int error) {
    const std::string what =
        fmt::format("cannot listen on {}: {}", address.text(), std::strerror(error));
    switch (error) {
    case EADDRINUSE:
        return {EX_UNAVAILABLE, what + "; stop what listens there, or choose another --listen"};
    case EACCES:
    case EPERM:
        return {EX_NOPERM, what + "; choose a port from 1024 on, or start as root"};
    default:
        return {EX_UNAVAILABLE, what + "; choose an address of this machine with --listen"};
    }
}

// Where the user named no address, a machine without one of the two families is served on the
// other.
std::vector<Listener> make_listeners(const Options& options) {
    std::vector<Listener> listeners;
    for (const Address& address : options.listen) {
        try {
            listeners.emplace_back(address);
        } catch (const std::system_error& failure) {
            const int error = failure.code().value();
            const bool no_such_family = error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
            const bool last = &address == &options.listen.back();
            if (!options.listen_by_default || !no_such_family || (last && listeners.empty()))
                throw cannot_listen(address, error);
            log_warning("no_address",
                fmt::format("not listening on {}: {}", address.text(), std::strerror(error)));
        }
    }
    return listeners;
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

} // namespace

Master::Master(const Options& options, const WorkerProgram& program, LogFile& log_file) :
    region_(make_region(options)), doorbell_pipes_(make_doorbells(options.workers)),
    doorbells_(region_.worker_table(), doorbell_pipes_), listeners_(make_listeners(options)),
    admission_({options.allow, options.deny, options.max_per_address}),
    escrow_(UserTable(region_), options.workers, check_account()), takeovers_(options.workers),
    log_file_(log_file), turned_away_(events_, turned_away_udata, turned_away_timer_ident),
    pool_(program, options, region_, doorbell_pipes_, events_, channel_udata),
    outbox_(options.workers), stopped_reading_(options.workers), stall_limit_(options.stall_limit),
    keepalive_seconds_(options.keepalive_seconds), worker_user_(options.user) {
    watch_signals();
    open_control(options);
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
        must_change(signals_.change(static_cast<uintptr_t>(signal), EVFILT_SIGNAL, EV_ADD),
            "watching for signals");
    }
    must_change(signals_.change(SIGHUP, EVFILT_SIGNAL, EV_ADD), "watching for signals");
    // Ignored, and said to be so. Not those that the system sends where a write fails, which says
    // it as well, or would fail if the signal were not ignored (SIGTTOU).
    for (const int signal : unexpected_signals)
        [[maybe_unused]] const int unwatched =
            signals_.change(static_cast<uintptr_t>(signal), EVFILT_SIGNAL, EV_ADD);
    must_change(events_.change(static_cast<uintptr_t>(signals_.fd()), EVFILT_READ, EV_ADD,
                    NOTE_NODATA, 0, signals_udata),
        "watching for signals");
}

int Master::run() {
    pool_.replenish();
    while (phase_ != Phase::dismissing || !pool_.empty()) {
        const std::span<const EventQueue::Event> events = events_.wait(until_next_look());
        pool_.look();
        // Newcomers last: whoever left in the meantime has made room for them.
        std::vector<const EventQueue::Event*> accepting;
        for (const EventQueue::Event& event : events) {
            if (kind_of(EventQueue::udata_of(event)) == listener_udata)
                accepting.push_back(&event);
            else
                handle(event);
        }
        for (const EventQueue::Event* const event : accepting)
            handle(*event);
        read_on();
        try_to_accept_again();
        send_again();
        for (uint16_t entry = 0; entry < outbox_.size(); ++entry)
            send_clients(entry);
        advance_stop();
        say_dropped_lines(); // once a second at the least: so often the heartbeats are looked at
    }
    return exit_status_;
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
    const uint64_t udata = EventQueue::udata_of(event);
    switch (event.filter) {
    case EVFILT_TIMER:
        handle_timer(static_cast<uintptr_t>(event.ident));
        break;
    case EVFILT_PROC:
        handle_exit(static_cast<pid_t>(event.ident));
        break;
    default:
        if (kind_of(udata) == channel_udata)
            handle_channel(static_cast<pid_t>(static_cast<uint32_t>(udata)));
        else if (kind_of(udata) == turned_away_udata)
            turned_away_.readable(static_cast<int>(event.ident));
        else if (kind_of(udata) == signals_udata)
            handle_signals();
        else if (kind_of(udata) == control_udata)
            control_->handle(
                event, [this](const Control::Request& request) { return answer(request); });
        else if (phase_ == Phase::serving)
            (void)accept_clients(listeners_[static_cast<uint32_t>(udata)]);
    }
}

void Master::handle_signals() {
    for (const EventQueue::Event& event : signals_.wait(std::chrono::nanoseconds::zero())) {
        const auto signal = static_cast<int>(event.ident);
        if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT)
            for (int64_t count = 0; count < static_cast<int64_t>(event.data); ++count)
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
        log_warning("stop_overdue", "the workers did not come to an end, so they are ended");
        pool_.kill_all();
        phase_ = Phase::dismissing;
        pool_.dismiss_all();
        break;
    default:
        break;
    }
}

} // namespace chatserv
