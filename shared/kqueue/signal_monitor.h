// Counts the signals that are sent to this process, for EVFILT_SIGNAL of all its kqueues.
//
// A BSD kernel counts each attempt to send a signal, whatever the process does with it. Linux tells
// a process only of the signals that are delivered to it, and it merges those that are blocked. So:
//
//  counted   The usual case: the signal is ignored (by SIG_IGN or by default), handled, or blocked
//            by the program. Our handler takes the place of its disposition, counts, and calls its
//            handler; the signal is unblocked. Each one sent by the process to itself is counted.
//  held      The default action would end or stop the process, and the program may be about to
//            ignore the signal. It is blocked, so that none is lost if so, and read from a
//            signalfd.
//
// What the program does to the disposition later is found by adopt_dispositions(), before a kqueue
// sleeps. What it blocks later arrives by the signalfd, once, and is unblocked again then.
//
// Process-wide state, for a process of one thread. Errors are errno values.
#pragma once

#include <atomic>
#include <cstdint>

namespace kq {

constexpr int signal_limit = 65; // Linux: signals are 1 to 64

// Begins and ends counting for one knote. EINVAL if there is no such signal.
[[nodiscard]] int watch_signal(int signal);
void unwatch_signal(int signal);

// How often the signal has been sent while it was watched.
[[nodiscard]] std::uint64_t signal_posts(int signal);

// Becomes readable, edge by edge, with each count; never to be read.
[[nodiscard]] int signal_wake_descriptor();
// Becomes readable with each signal that is blocked.
[[nodiscard]] int held_signal_descriptor();
void count_held_signals();

// Takes notice of dispositions that the program has changed.
void adopt_dispositions();

// Signals counted that a BSD would not have let interrupt a system call.
inline std::atomic<std::uint64_t> quiet_interruption_count{0};
[[nodiscard]] inline std::uint64_t quiet_interruptions() {
    return quiet_interruption_count.load(std::memory_order_relaxed);
}

// In a forked child: the program's own dispositions and mask, and none of our descriptors.
void forget_signals_in_child();

} // namespace kq
