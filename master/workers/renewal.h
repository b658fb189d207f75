// Renewal: giving worker processes another channel, and seeing to it that they take it.
//
// A master that has come after another knows neither what the workers have said nor what they were
// told: the channels can have lost the end of one message in either direction. So it gives each
// process another channel (shared/ipc/rendezvous.h). The process introduces itself on it, and is
// told the rest: see protocol.h. Until then it relays as before; nothing that its clients see
// depends on the channel.
//
// The process has the hang limit for its introduction, in served time. One that does not even beat
// meanwhile is left to the hang watch, which knows how to judge a standstill; one that beats and
// still does not introduce itself after a little more time is ended.
#pragma once

#include "master/workers/worker_pool.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <sys/types.h>

namespace chatserv {

class Renewal {
public:
    using Clock = std::chrono::steady_clock;

    Renewal(const Segment& segment, std::chrono::milliseconds hang_limit, WorkerPool& pool,
        ServedClock& clock) :
        heartbeats_(segment.heartbeats()),
        limit_(hang_limit), pool_(pool), clock_(clock) {}

    // Replaces the process's channel. Messages that are on their way in the old one are lost. Where
    // the system has no channel for the process now, it gets one later.
    void renew(WorkerProcess& process);
    // The process has introduced itself, or has exited.
    void forget(pid_t pid) { pages_.erase(pid); }
    [[nodiscard]] bool any_under_way() const { return !pages_.empty(); }

    // Offers channels again that could not be offered, and ends processes that are overdue.
    void look(Clock::time_point now);
    // When look() is due; nothing where no renewal is under way.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const { return next_look_; }

private:
    struct Page {
        bool offered = false;
        bool overdue = false; // at the last look
        uint64_t beat_ns = 0; // the last beat, as of then
        std::optional<ServedClock::time_point>
            due{};                    // of the introduction, from the first offer on
        Clock::time_point offer_at{}; // before that: when to try again
    };

    void offer(WorkerProcess& process, Page& page, Clock::time_point now);
    void judge(WorkerProcess& process, Page& page, Clock::time_point now);
    void schedule(Clock::time_point now);

    std::span<Heartbeat> heartbeats_;
    std::chrono::milliseconds limit_;
    WorkerPool& pool_;
    ServedClock& clock_;
    std::map<pid_t, Page> pages_;
    std::optional<Clock::time_point> next_look_{};
};

} // namespace chatserv
