#include "master/keeper/server_signals.h"

#include "shared/system/signals.h"

#include <algorithm>
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

bool is_stop(int signal) {
    return std::find(std::begin(stop_signals), std::end(stop_signals), signal) !=
           std::end(stop_signals);
}

std::vector<int> server_signals() {
    std::vector<int> signals{SIGHUP};
    for (const int signal : stop_signals)
        if (signal == SIGTERM || !is_ignored(signal))
            signals.push_back(signal);
    signals.insert(signals.end(), std::begin(unexpected_signals), std::end(unexpected_signals));
    return signals;
}

} // namespace chatserv
