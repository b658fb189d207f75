#include "bridge/room_watch.h"

namespace chatserv {
namespace {

// When it was, in milliseconds since 1970.
uint64_t wall_time_of(RoomWatch::Time then, RoomWatch::Time now, uint64_t wall_ms) {
    const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(now - then).count();
    return wall_ms - std::min(static_cast<uint64_t>(std::max<int64_t>(ago, 0)), wall_ms);
}

} // namespace

Link RoomWatch::seen(const Sight& sight, Time now) {
    if (sight.link.state != LinkState::delivering)
        return sight.link;
    if (!sight.waiting_since)
        return sight.link;
    if (now - *sight.waiting_since < way_back_max) {
        consider(*sight.waiting_since + way_back_max);
        // It has not come back yet, so nothing shows that the wait is over.
        if (has_looked_ && !condition_.is_well())
            return {
                .state = condition_.state, .since = state_since_, .trouble = condition_.trouble};
        return sight.link;
    }
    return {.state = LinkState::waiting,
        .since = *sight.waiting_since,
        .trouble = "what is sent to the stream does not come back: most of its servers are out of "
                   "reach, as a rule"};
}

void RoomWatch::look(const Sight& sight, Time now, uint64_t wall_ms) {
    due_.reset();
    const Link link = seen(sight, now);
    if (!has_looked_ || link.state != condition_.state)
        begin(link, now, wall_ms);
    condition_.trouble = link.trouble;
    if (condition_.is_well() || said_ == condition_.state)
        return;
    if (now - state_since_ < worth_a_line)
        return consider(state_since_ + worth_a_line);
    said_ = condition_.state;
    is_said_ = true;
    news_ = News{.kind = News::Kind::waits, .since_ms = condition_.since_ms};
}

void RoomWatch::begin(const Link& seen, Time now, uint64_t wall_ms) {
    const bool is_well = seen.state == LinkState::delivering;
    const uint64_t ill_since_ms = condition_.since_ms;
    if (!has_looked_ && former_ && !former_->is_well()) {
        condition_.since_ms = former_->since_ms;
        is_said_ = wall_ms >= former_->since_ms + static_cast<uint64_t>(worth_a_line.count());
    } else if (!has_looked_ || is_well != condition_.is_well()) {
        condition_.since_ms = is_well ? wall_ms : wall_time_of(seen.since, now, wall_ms);
    }
    if (is_well && has_looked_ && is_said_)
        news_ = News{.kind = News::Kind::goes_on, .since_ms = ill_since_ms};
    if (is_well && has_looked_) {
        is_said_ = false;
        said_.reset();
    }
    condition_.state = seen.state;
    state_since_ = has_looked_ ? now : seen.since;
    has_looked_ = true;
}

} // namespace chatserv
