#include "master/workers/hang_watch.h"

#include "shared/system/panic.h"

#include <algorithm>
#include <utility>

namespace chatserv {

namespace {

// A process may take longer until its first beat, because exec and the dynamic linker read from a
// disk.
constexpr std::chrono::seconds start_limit{10};

} // namespace

HangWatch::HangWatch(std::span<Heartbeat> heartbeats, std::chrono::milliseconds limit) :
    heartbeats_(heartbeats), limit_(limit), seats_(heartbeats.size()) {}

SeatId HangWatch::enter(Clock::time_point now) {
    const auto free =
        std::find_if(seats_.begin(), seats_.end(), [](const Seat& seat) { return !seat.taken; });
    invariant(free != seats_.end(), "more worker processes were started than there are seats");
    const SeatId seat{static_cast<uint32_t>(free - seats_.begin())};
    clear(heartbeats_[index_of(seat)]);
    watch(seat, now);
    return seat;
}

// Nobody has judged the process meanwhile, and the whole server may have stood still. So its
// silence begins now.
void HangWatch::enter_running(SeatId seat, Clock::time_point now) {
    invariant(!seats_[index_of(seat)].taken, "two worker processes have one seat");
    watch(seat, now);
    if (has_beaten(heartbeats_[index_of(seat)])) {
        const Clock::time_point beat = last_beat(heartbeats_[index_of(seat)]);
        seats_[index_of(seat)].beat = beat;
        seats_[index_of(seat)].excused = std::max(now - beat, Clock::duration::zero());
    }
}

void HangWatch::watch(SeatId seat, Clock::time_point now) {
    seats_[index_of(seat)] = {.taken = true, .watched = true, .entered = now, .beat = now};
    const Clock::time_point look = now + limit_;
    next_look_ = next_look_ ? std::min(*next_look_, look) : look;
}

void HangWatch::leave(SeatId seat) {
    seats_[index_of(seat)] = {};
}

HangWatch::Clock::time_point HangWatch::deadline_of(SeatId seat, Clock::time_point now) const {
    if (has_beaten(heartbeats_[index_of(seat)])) {
        // No process beats in the future; such a beat would excuse its process until then.
        const Clock::time_point beat = last_beat(heartbeats_[index_of(seat)]);
        return beat > now + limit_ ? now : beat + limit_ + seats_[index_of(seat)].excused;
    }
    return seats_[index_of(seat)].entered + std::max<Clock::duration>(start_limit, limit_) +
           seats_[index_of(seat)].excused;
}

// It is not known when, since the last look, the standstill was. A process is excused for no longer
// than it has been silent.
void HangWatch::excuse(
    Seat& seat, Clock::time_point last_seen, Clock::duration stood_still, Clock::time_point now) {
    if (last_seen != std::exchange(seat.beat, last_seen))
        seat.excused = Clock::duration::zero();
    if (last_seen < now)
        seat.excused += std::min(stood_still, now - last_seen);
}

std::vector<SeatId> HangWatch::overdue(Clock::time_point now, Clock::duration stood_still) {
    if (!next_look_ || now < *next_look_)
        return {};
    const Clock::duration newly_stood_still =
        stood_still - std::exchange(stood_still_, stood_still);
    const bool held_up = now - *next_look_ > limit_ / 4;
    next_look_.reset();
    std::vector<SeatId> overdue;
    for (uint32_t index = 0; index < seats_.size(); ++index) {
        const SeatId seat{index};
        if (!seats_[index_of(seat)].watched)
            continue;
        excuse(seats_[index_of(seat)],
            has_beaten(heartbeats_[index_of(seat)]) ? last_beat(heartbeats_[index_of(seat)])
                                                    : seats_[index_of(seat)].entered,
            newly_stood_still, now);
        Clock::time_point look = deadline_of(seat, now);
        if (look <= now) {
            if (!held_up)
                overdue.push_back(seat);
            look = now + limit_ / 2;
        }
        // A process that has not beaten yet can beat at any time, and hang after that.
        if (!has_beaten(heartbeats_[index_of(seat)]))
            look = std::min(look, now + limit_);
        next_look_ = next_look_ ? std::min(*next_look_, look) : look;
    }
    return overdue;
}

} // namespace chatserv
