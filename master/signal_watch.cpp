#include "master/signal_watch.h"

#include "shared/system/errors.h"
#include "shared/system/signals.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iterator>

namespace chatserv {

namespace {

constexpr int stop_signals[] = {SIGTERM, SIGINT, SIGQUIT};

// These are ignored, and the log says so. Signals that the system sends when a write fails are not
// among them, because the failure is logged anyway; nor is SIGTTOU.
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

} // namespace

SignalWatch::SignalWatch(EventQueue& events, Tag tag) {
    for (const int signal : stop_signals) {
        // A signal that was ignored when the server was started stays ignored: the signals of the
        // keyboard may be meant for other processes, as in a script that starts the server with
        // `&`. SIGTERM is always meant for the server.
        if (signal != SIGTERM && is_ignored(signal))
            continue;
        std::signal(signal, SIG_IGN);
        require(signals_.watch_signal(signal), "watching for signals");
    }
    for (const int signal : {SIGHUP, SIGCHLD})
        require(signals_.watch_signal(signal), "watching for signals");
    for (const int signal : unexpected_signals)
        (void)signals_.watch_signal(signal);
    require(events.watch_readable(signals_.fd(), tag), "watching for signals");
}

std::vector<SignalWatch::Arrived> SignalWatch::take() {
    std::vector<Arrived> arrived;
    for (const EventQueue::Event& event : signals_.wait(std::chrono::nanoseconds::zero()))
        arrived.push_back({.signal = signal_of(event), .count = times_of(event)});
    return arrived;
}

bool is_stop(int signal) {
    return std::find(std::begin(stop_signals), std::end(stop_signals), signal) !=
           std::end(stop_signals);
}

} // namespace chatserv
