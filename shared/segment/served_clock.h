// Served time: the clock for every time limit on a client and on the server's own processes.
//
// A limit measures what clients do while they are served. While the server itself stands still (it
// is stopped, its machine is suspended, its cgroup is frozen, it gets no processor), clients are
// not to blame, so that time does not count. No system tells a process how long it stood still, so
// the process detects it: it reads the clock at least once in each turn of its loop, and records
// before it sleeps how long it will sleep at most. If more than that and an allowance has passed
// since the last reading, the process stood still, and only the allowance counts of all the time
// since that reading. Therefore:
//
// - The process cannot know how much of that time was sleep and how much was standstill. The error
//   favours the clients.
// - A standstill that is shorter than the sleep and the allowance together is not noticed, and it
//   counts. So a process sleeps for only a small part of a limit while that limit runs (sleep_max).
//   A limit that does not run costs no wake-up.
// - Served time advances in each turn, by the length of the turn or by the allowance. A process
// that
//   is always late measures a limit too long, but no limit is put off for ever.
//
// Each reading of the clock can find a standstill, so no instant that was read is ahead of served
// time. A successor continues the clock of its predecessor: the entry of the worker table holds a
// worker's clock, with the time at which the dead worker read it last. The time in between, in
// which no process served the entry's clients, is a standstill like any other.
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
    // A clock in the sense of <chrono>, except that now() is a member of an object. Its instants
    // are those of the steady clock less the standstills; the type keeps the two apart.
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<ServedClock, duration>;
    static constexpr bool is_steady = true;

    using Steady = std::chrono::steady_clock;

    // `record`: all zeros, or what the predecessor left. A record that no worker can have written
    // is reset. `now`: the present instant.
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

    // For limits of this length: how late a process may be without having stood still, and how long
    // it may sleep while the limit runs.
    [[nodiscard]] static duration allowance_for(duration limit) {
        return std::min<duration>(limit / 16, allowance_max);
    }
    [[nodiscard]] static duration sleep_max(duration limit) {
        return std::max<duration>(limit / 16, std::chrono::milliseconds(1));
    }

    // From now on the clock measures limits of this length.
    void measure(duration limit) { allowance_ = allowance_for(limit); }

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

    // To be called right before the process sleeps, for `at_most` as the longest time.
    void about_to_sleep(duration at_most) {
        store_release(record_.asleep_ns,
            static_cast<uint64_t>(std::clamp(at_most, duration::zero(), sleep_longest).count()));
    }

    // By how much this clock is behind the steady clock.
    [[nodiscard]] duration stood_still() const {
        return bounded(record_.stood_still_ns, duration::max());
    }
    // The length of the standstills found since the last call. The true length can be greater, at
    // most by the sleep in which a standstill began.
    [[nodiscard]] duration take_found() { return std::exchange(found_, duration::zero()); }

private:
    static constexpr duration allowance_max = std::chrono::milliseconds(100);
    static constexpr duration sleep_longest = std::chrono::hours(24 * 365);

    // Other processes can write to the record. A value above `most` is corrupt, and counts as
    // `most`.
    static duration bounded(const uint64_t& nanoseconds, duration most) {
        return duration(static_cast<rep>(
            std::min(load_acquire(nanoseconds), static_cast<uint64_t>(most.count()))));
    }

    static uint64_t nanoseconds_of(Steady::time_point instant) {
        return static_cast<uint64_t>(
            std::chrono::duration_cast<duration>(instant.time_since_epoch()).count());
    }

    // Stored before looked_ns: if the process dies in between, its successor counts the standstill
    // twice, and no client is charged with it.
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
