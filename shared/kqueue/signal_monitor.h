// Counts the signals that are sent to this process, for EVFILT_SIGNAL of all its kqueues.
//
// A BSD kernel counts each attempt to send a signal, whatever the process does with it. Linux shows
// a process only the signals that are delivered to it, and it merges blocked ones. So a watched
// signal is in one of two modes:
//
//  counted   The usual case: the program ignores the signal (by SIG_IGN or by default), handles it,
//            or blocks it. Our handler replaces the program's disposition, counts, and calls the
//            program's handler. The signal is unblocked. Each signal that the process sends to
//            itself is counted.
//  held      The default action would end or stop the process, but the program may be about to
//            ignore the signal. So that none is lost in that case, the signal is blocked and read
//            from a signalfd.
//
// If the program changes the disposition later, adopt_dispositions() finds the change before a
// kqueue sleeps. If the program blocks the signal later, it arrives once, by the signalfd, and is
// then unblocked.
//
// Process-wide state, for a process of one thread. Errors are errno values.
#pragma once

#include <atomic>
#include <cstdint>

namespace kq {

constexpr int signal_limit = 65; // Linux: signals are 1 to 64

// Begin and end counting for one knote. watch_signal() returns EINVAL if there is no such signal.
[[nodiscard]] int watch_signal(int signal);
void unwatch_signal(int signal);

// How often the signal has been sent while it was watched.
[[nodiscard]] std::uint64_t signal_posts(int signal);

// Gets a readable edge with each counted signal. It must never be read.
[[nodiscard]] int signal_wake_descriptor();
// Readable while a held or blocked signal is pending. count_held_signals() reads and counts them.
[[nodiscard]] int held_signal_descriptor();
void count_held_signals();

// Finds the dispositions that the program has changed, and puts ours in front of them again.
void adopt_dispositions();

// Counts the signals that would not have interrupted a system call on a BSD.
inline std::atomic<std::uint64_t> quiet_interruption_count{0};
[[nodiscard]] inline std::uint64_t quiet_interruptions() {
    return quiet_interruption_count.load(std::memory_order_relaxed);
}

// What the parent's descriptors are in a child. `originals`: the child shares the parent's table.
enum class Inherited : std::uint8_t { copies, originals };
// In a child: restores the program's own dispositions and mask, and closes our descriptors if they
// are copies.
void forget_signals_in_child(Inherited descriptors);

} // namespace kq
