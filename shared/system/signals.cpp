#include "shared/system/signals.h"

#include <algorithm>
#include <csignal>
#include <initializer_list>
#include <utility>

namespace chatserv {

namespace {

// One more than the greatest signal number. NSIG does not count the real-time signals everywhere.
int signal_numbers_end() {
    int end = 65;
#ifdef NSIG
    end = std::max(end, static_cast<int>(NSIG));
#endif
#ifdef SIGRTMAX
    end = std::max(end, static_cast<int>(SIGRTMAX) + 1);
#endif
    return end;
}

bool is_left_alone(int signal) {
    switch (signal) {
    case SIGKILL:
    case SIGSTOP:
    case SIGSEGV:
    case SIGBUS:
    case SIGABRT:
    case SIGILL:
    case SIGFPE:
    case SIGSYS:
    case SIGTRAP:
    case SIGINT:
    case SIGQUIT:
    case SIGTERM:
    case SIGCHLD:
    case SIGTSTP:
    case SIGCONT:
    case SIGURG:
#ifdef SIGWINCH
    case SIGWINCH:
#endif
#ifdef SIGEMT
    case SIGEMT:
#endif
#ifdef SIGINFO
    case SIGINFO:
#endif
        return true;
    default:
        return false;
    }
}

// sigaction(2) fails for a number that is not a signal, and for the signals that a C library
// reserves; both are left as they are.
void dispose(int signal, void (*disposition)(int)) {
    struct sigaction action {};
    action.sa_handler = disposition;
    sigemptyset(&action.sa_mask);
    (void)::sigaction(signal, &action, nullptr);
}

} // namespace

void settle_signals() {
    for (int signal = 1; signal < signal_numbers_end(); ++signal)
        if (!is_left_alone(signal))
            dispose(signal, SIG_IGN);
    dispose(SIGCHLD, SIG_DFL);
    // Last, so that a pending signal that was blocked meets the dispositions above.
    sigset_t none;
    sigemptyset(&none); // a macro on some systems
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void leave_stopping_to_the_master() {
    for (const int signal : {SIGINT, SIGQUIT, SIGTERM})
        dispose(signal, SIG_IGN);
}

bool is_ignored(int signal) {
    struct sigaction action {};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

std::string name_of_signal(int signal) {
    constexpr std::pair<int, const char*> names[] = {
        {SIGHUP, "SIGHUP"},
        {SIGINT, "SIGINT"},
        {SIGQUIT, "SIGQUIT"},
        {SIGTERM, "SIGTERM"},
        {SIGUSR1, "SIGUSR1"},
        {SIGUSR2, "SIGUSR2"},
        {SIGALRM, "SIGALRM"},
        {SIGVTALRM, "SIGVTALRM"},
        {SIGPROF, "SIGPROF"},
        {SIGXCPU, "SIGXCPU"},
#ifdef SIGIO
        {SIGIO, "SIGIO"},
#endif
#ifdef SIGPWR
        {SIGPWR, "SIGPWR"},
#endif
#ifdef SIGSTKFLT
        {SIGSTKFLT, "SIGSTKFLT"},
#endif
    };
    for (const auto& [number, name] : names)
        if (number == signal)
            return name;
    return "signal " + std::to_string(signal);
}

} // namespace chatserv
