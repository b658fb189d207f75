// Served time: what every time limit on a client, and on this server's own processes, is measured
// by.
//
// A limit is about what others do while they are served. While the server itself stands still (it
// is stopped, its machine is suspended, its cgroup is frozen, it gets no processor), nobody else
// can be blamed, so that time does not count. No system tells a process how long it stood still,
// so the process finds out: it looks at the clock once in each turn of its loop at least, and says
// before it sleeps how long it will sleep at the most. If more time than that and an allowance has
// passed since the last look, the process stood still, and of all the time since that look only
// the allowance counts. Therefore:
//
// - Nobody can tell how much of such a stretch was sleep and how much was standstill. The error is
//   in favour of those who are timed.
// - A standstill that is shorter than the sleep and the allowance together is not noticed, and it
//   counts. So a process sleeps for a small part of a limit at the most, while that limit runs
//   (sleep_max). A limit that does not run costs no wake-up.
// - Served time goes on in each turn, by as much as the turn took or by the allowance. A process
//   that is always late measures a limit too long, but no limit can be put off for ever.
//
// Each look at the clock can find a standstill, so no instant that was read is ahead of served
// time. The clock goes on from process to process: a worker's is kept in its entry of the worker
// table, and its successor finds there when the dead worker looked last. The time in between, in
// which nobody served the entry's clients, is a standstill like any other.
#pragma once

#include "shared/segment/atomic_word.h"
#include "shared/segment/layout.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace chatserv {

class ServedClock {
public:
    // A clock as <chrono> knows them, but that now() is an object's. Instants of it cannot be mixed
    // up with those of the steady clock; they are the steady clock's instants less the standstills.
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<ServedClock, duration>;
    static constexpr bool is_steady = true;

    using Steady = std::chrono::steady_clock;

    // `record`: all zeros, or what the predecessor left. A record that no worker can have written
    // begins anew. `now`: the present instant.
    ServedClock(ServedRecord& record, duration allowance, Steady::time_point now = Steady::now()) :
        record_(record), allowance_(std::min(allowance, allowance_max)) {
        const uint64_t now_ns = nanoseconds_of(now);
        if (load_acquire(record.stood_still_ns) > now_ns)
            store_release(record.stood_still_ns, 0);
        if (load_acquire(record.asleep_ns) > static_cast<uint64_t>(sleep_longest.count()))
            store_release(record.asleep_ns, 0);
        if (const uint64_t looked = load_acquire(record.looked_ns); looked == 0 || looked > now_ns)
            store_release(record.looked_ns, now_ns);
        (void)this->now(now);
    }

    // For limits of this length: what a process may be late without having stood still, and how
    // long it may sleep while such a limit runs.
    [[nodiscard]] static duration allowance_for(duration limit) {
        return std::min<duration>(limit / 16, allowance_max);
    }
    [[nodiscard]] static duration sleep_max(duration limit) {
        return std::max<duration>(limit / 16, std::chrono::milliseconds(1));
    }

    // The present instant. `now`: the steady clock's, where the caller has read it already.
    [[nodiscard]] time_point now(Steady::time_point now = Steady::now()) {
        const uint64_t now_ns = nanoseconds_of(now);
        const uint64_t looked_ns = load_acquire(record_.looked_ns);
        if (now_ns > looked_ns) {
            const duration gap(static_cast<rep>(now_ns - looked_ns));
            const duration asleep = bounded(record_.asleep_ns, sleep_longest);
            if (gap > asleep + allowance_) [[unlikely]]
                stood_still(gap, asleep);
            store_release(record_.looked_ns, now_ns);
        }
        store_release(record_.asleep_ns, 0);
        const duration steady(static_cast<rep>(now_ns));
        return time_point(steady - bounded(record_.stood_still_ns, steady));
    }

    // To be called right before the process sleeps: it will not do so for longer than that.
    void about_to_sleep(duration at_most) {
        store_release(record_.asleep_ns,
            static_cast<uint64_t>(std::clamp(at_most, duration::zero(), sleep_longest).count()));
    }

    // By how much this clock is behind the steady clock.
    [[nodiscard]] duration stood_still() const {
        return bounded(record_.stood_still_ns, duration::max());
    }
    // How long the standstills were that have been found since this was asked last: at least so
    // long, and longer by the sleep in which they began at the most.
    [[nodiscard]] duration take_found() { return std::exchange(found_, duration::zero()); }

private:
    static constexpr duration allowance_max = std::chrono::milliseconds(100);
    static constexpr duration sleep_longest = std::chrono::hours(24 * 365);

    // The record can be in memory that other processes write to: more than `most` is nonsense
    // there, and is to have no more effect than that.
    static duration bounded(const uint64_t& nanoseconds, duration most) {
        return duration(static_cast<rep>(
            std::min(load_acquire(nanoseconds), static_cast<uint64_t>(most.count()))));
    }

    static uint64_t nanoseconds_of(Steady::time_point instant) {
        return static_cast<uint64_t>(
            std::chrono::duration_cast<duration>(instant.time_since_epoch()).count());
    }

    // Before the instant of the look: a process that dies in between leaves a standstill that its
    // successor counts twice, not one that is charged to a client.
    void stood_still(duration gap, duration asleep) {
        store_release(
            record_.stood_still_ns, load_acquire(record_.stood_still_ns) +
                                        static_cast<uint64_t>((gap - allowance_).count()));
        found_ += gap - asleep;
    }

    ServedRecord& record_;
    duration allowance_;
    duration found_{};
};

} // namespace chatserv
