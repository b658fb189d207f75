#include "master/keeper/caught_signals.h"

#include "config.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace chatserv {

namespace {

void never_called(int /*signal*/) {}

void dispose_one(int signal, void (*disposition)(int)) {
    struct sigaction action {};
    action.sa_handler = disposition;
    sigemptyset(&action.sa_mask);
    (void)::sigaction(signal, &action, nullptr);
}

} // namespace

CaughtSignals::CaughtSignals(std::vector<int> signals) : signals_(std::move(signals)) {
    sigemptyset(&set_);
    sigaddset(&set_, SIGCHLD);
    for (const int signal : signals_)
        sigaddset(&set_, signal);
}

void CaughtSignals::dispose(void (*of_all)(int), void (*of_sigchld)(int)) const {
    for (const int signal : signals_)
        dispose_one(signal, of_all);
    dispose_one(SIGCHLD, of_sigchld);
}

// Blocked first: no signal meets another disposition.
void CaughtSignals::begin() {
    (void)::sigprocmask(SIG_BLOCK, &set_, nullptr);
    dispose(never_called, never_called);
}

// Unblocked last: a signal that is pending meets these dispositions.
void CaughtSignals::end() {
    dispose(SIG_IGN, SIG_DFL);
    (void)::sigprocmask(SIG_UNBLOCK, &set_, nullptr);
}

std::optional<int> CaughtSignals::wait(
    [[maybe_unused]] std::optional<std::chrono::nanoseconds> timeout) const {
#ifdef HAVE_SIGTIMEDWAIT
    int signal = -1;
    if (timeout) {
        const auto left = std::max(*timeout, std::chrono::nanoseconds::zero());
        const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
        timespec limit{};
        limit.tv_sec = static_cast<time_t>(seconds.count());
        limit.tv_nsec = static_cast<long>((left - seconds).count());
        signal = ::sigtimedwait(&set_, nullptr, &limit);
    } else {
        signal = ::sigwaitinfo(&set_, nullptr);
    }
    if (signal > 0)
        return signal;
#endif
    return std::nullopt;
}

} // namespace chatserv
