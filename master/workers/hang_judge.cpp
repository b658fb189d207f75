#include "master/workers/hang_judge.h"

#include <algorithm>

namespace chatserv {

namespace {

std::chrono::milliseconds grace_for(std::chrono::milliseconds limit) {
    return std::min(limit / 4, std::chrono::milliseconds(200));
}

} // namespace

HangJudge::HangJudge(
    std::span<Heartbeat> heartbeats, std::chrono::milliseconds limit, ServedClock& clock) :
    heartbeats_(heartbeats),
    grace_(grace_for(limit)), clock_(clock), watch_(heartbeats, limit - grace_) {}

void HangJudge::leave(SeatId seat) {
    forget(seat);
    watch_.leave(seat);
}

void HangJudge::ignore(SeatId seat) {
    forget(seat);
    watch_.ignore(seat);
}

void HangJudge::forget(SeatId seat) {
    std::erase_if(suspects_, [seat](const Suspect& suspect) { return suspect.seat == seat; });
}

std::optional<HangJudge::Clock::time_point> HangJudge::next_look() const {
    const auto look = watch_.next_look();
    if (!next_verdict_)
        return look;
    return std::min(look.value_or(*next_verdict_), *next_verdict_);
}

std::vector<SeatId> HangJudge::hung(Clock::time_point now) {
    const ServedClock::time_point served = clock_.now(now);
    std::vector<SeatId> hung;
    std::erase_if(suspects_, [&](const Suspect& suspect) {
        const bool silent =
            load_acquire(heartbeats_[index_of(suspect.seat)].beat_ns) == suspect.beat_ns;
        if (silent && suspect.verdict_at <= served)
            hung.push_back(suspect.seat);
        return !silent || suspect.verdict_at <= served;
    });
    for (const SeatId seat : watch_.overdue(now, clock_.stood_still()))
        if (std::none_of(suspects_.begin(), suspects_.end(),
                [seat](const Suspect& suspect) { return suspect.seat == seat; }))
            suspects_.push_back({.seat = seat,
                .beat_ns = load_acquire(heartbeats_[index_of(seat)].beat_ns),
                .verdict_at = served + grace_});
    next_verdict_.reset();
    for (const Suspect& suspect : suspects_) {
        const Clock::time_point verdict = now + (suspect.verdict_at - served);
        next_verdict_ = std::min(next_verdict_.value_or(verdict), verdict);
    }
    return hung;
}

} // namespace chatserv
