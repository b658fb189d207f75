#include "signal_monitor.h"

#include "blocked_signals.h"
#include "descriptor.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace kq {

namespace {

constexpr int reset_hand = static_cast<int>(SA_RESETHAND); // glibc alone has it unsigned

enum class Mode : std::uint8_t { unwatched, counted, held, unseen };

struct Watched {
    std::atomic<std::uint64_t> posts{0};
    struct sigaction program {}; // the program's disposition, behind our handler
    int knotes = 0;
    Mode mode = Mode::unwatched;
    bool blocked_by_program = false;
    std::atomic<bool> owed{false};     // blocked by the program, so it must end up pending
    std::atomic<bool> repeated{false}; // we raise the next one ourselves; it is already counted
};

std::array<Watched, signal_limit> table;
Descriptor wake;
Descriptor held;
sigset_t watched_mask;

Watched& entry_of(int signal) {
    return table[static_cast<std::size_t>(signal)];
}

bool is_function(const struct sigaction& action) {
    return (action.sa_flags & SA_SIGINFO) ||
           (action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL);
}

// Whether the signal would end or stop the process.
bool is_deadly(int signal, const struct sigaction& action) {
    if (is_function(action) || action.sa_handler == SIG_IGN)
        return false;
    return signal != SIGCHLD && signal != SIGCONT && signal != SIGURG && signal != SIGWINCH;
}

void count(int signal) {
    entry_of(signal).posts.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    (void)!::write(wake.get(), &one, sizeof one); // 64 bits never overflow in a process's life
}

void call_program(int signal, siginfo_t* info, void* context) {
    struct sigaction& program = entry_of(signal).program;
    const struct sigaction action = program;
    if (action.sa_flags & reset_hand) {
        program.sa_flags = 0;
        program.sa_handler = SIG_DFL;
    }
    if (action.sa_flags & SA_SIGINFO)
        action.sa_sigaction(signal, info, context);
    else
        action.sa_handler(signal);
}

// The kernel takes the default action when the handler returns.
void take_default_action(int signal) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
    ::raise(signal);
}

void on_signal(int signal, siginfo_t* info, void* context) {
    const int saved = errno;
    Watched& entry = entry_of(signal);
    if (!entry.repeated.exchange(false))
        count(signal);
    if (!entry.blocked_by_program && is_function(entry.program)) {
        call_program(signal, info, context);
    } else {
        quiet_interruption_count.fetch_add(1, std::memory_order_relaxed);
        if (entry.blocked_by_program)
            entry.owed = true;
        else if (is_deadly(signal, entry.program))
            take_default_action(signal);
    }
    errno = saved;
}

// Compares only the function: a program that saves and restores dispositions may put ours back
// through either field of the union.
bool is_ours(const struct sigaction& action) {
    return reinterpret_cast<const void*>(action.sa_handler) ==
           reinterpret_cast<const void*>(&on_signal);
}

struct sigaction current_action(int signal) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    return action;
}

struct sigaction counting_action(int signal, const struct sigaction& program) {
    struct sigaction action = program;
    action.sa_flags = (program.sa_flags & ~reset_hand) | SA_SIGINFO;
    if (!is_function(program)) {
        sigemptyset(&action.sa_mask);
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        if (signal == SIGCHLD && program.sa_handler == SIG_IGN)
            action.sa_flags |= SA_NOCLDWAIT; // ignoring SIGCHLD also means leaving no zombies
    }
    action.sa_sigaction = on_signal;
    return action;
}

// Puts our handler, or a block, in front of the program's disposition.
void adopt(int signal, const struct sigaction& current, Blocked& mask) {
    Watched& entry = entry_of(signal);
    if (!is_ours(current))
        entry.program = current;
    if (entry.mode != Mode::held && mask.before(signal))
        entry.blocked_by_program = true;
    if (is_deadly(signal, entry.program) && !entry.blocked_by_program) {
        entry.mode = Mode::held;
        mask.afterwards(signal, true);
        return;
    }
    entry.mode = Mode::counted;
    const struct sigaction action = counting_action(signal, entry.program);
    ::sigaction(signal, &action, nullptr);
    mask.afterwards(signal, false);
}

// Gives the signal back to the program as adopt() found it.
void give_back(int signal, Blocked& mask) {
    Watched& entry = entry_of(signal);
    if (entry.mode == Mode::counted && is_ours(current_action(signal)))
        ::sigaction(signal, &entry.program, nullptr);
    if (entry.mode == Mode::held)
        mask.afterwards(signal, false);
    else if (entry.blocked_by_program)
        mask.afterwards(signal, true);
    entry.mode = Mode::unwatched;
    entry.blocked_by_program = false;
}

// Takes a pending signal, which was sent before the watch began. True if there was one.
bool take_pending(int signal) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    const timespec no_time{};
    return ::sigtimedwait(&one, nullptr, &no_time) == signal;
}

int open_descriptors() {
    if (!wake) {
        wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!wake)
            return errno;
    }
    if (!held) {
        sigemptyset(&watched_mask);
        held = Descriptor(::signalfd(-1, &watched_mask, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!held)
            return errno;
    }
    return 0;
}

void set_watched(int signal, bool watched) {
    if (watched)
        sigaddset(&watched_mask, signal);
    else
        sigdelset(&watched_mask, signal);
    (void)::signalfd(held.get(), &watched_mask, 0);
}

// Lets a signal that was read from the signalfd, and is already counted, take effect.
void deliver_held(int signal) {
    Watched& entry = entry_of(signal);
    {
        Blocked mask;
        adopt(signal, current_action(signal), mask);
        if (entry.blocked_by_program) {
            entry.owed = true;
            return;
        }
        mask.afterwards(signal, false);
        if (is_function(entry.program))
            entry.repeated = true;
        else if (!is_deadly(signal, entry.program))
            return;
        ::raise(signal); // delivered when ~Blocked restores the mask
    }
    Blocked mask; // if we are still here, a deadly signal has only stopped us
    adopt(signal, current_action(signal), mask);
}

} // namespace

int watch_signal(int signal) {
    if (signal < 1 || signal >= signal_limit)
        return EINVAL;
    if (const int error = open_descriptors())
        return error;
    Watched& entry = entry_of(signal);
    if (entry.knotes > 0) {
        ++entry.knotes;
        return 0;
    }
    Blocked mask;
    struct sigaction current {};
    if (::sigaction(signal, nullptr, &current) == -1)
        return errno; // glibc reserves two signals for itself
    entry.knotes = 1;
    if (signal == SIGKILL || signal == SIGSTOP) {
        entry.mode = Mode::unseen; // accepted as on a BSD, though no process ever sees them
        return 0;
    }
    entry.owed = mask.before(signal) && take_pending(signal);
    set_watched(signal, true);
    adopt(signal, current, mask);
    return 0;
}

void unwatch_signal(int signal) {
    Watched& entry = entry_of(signal);
    if (--entry.knotes > 0 || entry.mode == Mode::unseen)
        return;
    Blocked mask;
    set_watched(signal, false);
    give_back(signal, mask);
    if (entry.owed.exchange(false))
        ::raise(signal); // the program has it blocked, so it becomes pending
}

std::uint64_t signal_posts(int signal) {
    return entry_of(signal).posts.load(std::memory_order_relaxed);
}

int signal_wake_descriptor() {
    return wake.get();
}

int held_signal_descriptor() {
    return held.get();
}

void count_held_signals() {
    signalfd_siginfo info{};
    while (::read(held.get(), &info, sizeof info) == sizeof info) {
        const auto signal = static_cast<int>(info.ssi_signo);
        count(signal);
        deliver_held(signal);
    }
}

void adopt_dispositions() {
    for (int signal = 1; signal < signal_limit; ++signal) {
        const Watched& entry = entry_of(signal);
        if (entry.mode != Mode::counted && entry.mode != Mode::held)
            continue;
        const struct sigaction current = current_action(signal);
        const bool in_force =
            entry.mode == Mode::counted ? is_ours(current) : is_deadly(signal, current);
        if (in_force)
            continue;
        Blocked mask;
        adopt(signal, current, mask);
    }
}

void forget_signals_in_child(Inherited descriptors) {
    Blocked mask;
    for (int signal = 1; signal < signal_limit; ++signal) {
        Watched& entry = entry_of(signal);
        if (entry.knotes == 0)
            continue;
        give_back(signal, mask);
        entry.knotes = 0;
        entry.owed = false; // pending signals are not inherited
    }
    if (descriptors == Inherited::originals) {
        (void)wake.release();
        (void)held.release();
    }
    wake.close();
    held.close();
}

} // namespace kq
