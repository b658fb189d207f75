#include "bridge/bridge.h"

#include "bridge/events.h"
#include "shared/segment/heartbeat.h"
#include "shared/system/errors.h"
#include "shared/system/logging.h"
#include "shared/system/wall_clock.h"

#include <algorithm>
#include <utility>

namespace chatserv {
namespace {

enum class BridgeEvent : uint8_t {
    engine = 1,
    doorbell = 2,
    lifeline = 3,
};

constexpr std::chrono::nanoseconds no_time{0};
// Of the hang limit, the longest sleep. A turn takes much less than the rest of a third.
constexpr int beats_per_limit = 4;

WorkerEntry& own_entry(const Segment& segment) {
    return segment.all_entries()[index_of(segment.bridge_entry())];
}

} // namespace

Bridge::Bridge(const Parts& parts, Settings settings) :
    segment_(parts.segment), engine_(parts.engine), lifeline_(parts.lifeline),
    settings_(std::move(settings)), doorbells_(segment_.all_entries(), parts.bells),
    doorbell_(own_entry(segment_), parts.bell), reporter_(segment_.room().report),
    is_successor_(reporter_.former().has_value()), watch_(reporter_.former()),
    pass_(segment_, engine_, doorbells_, settings_.exchange),
    is_joined_(pass_.exchange().order().joined()) {
    require(events_.watch_readable(lifeline_, BridgeEvent::lifeline), "watching the server's life");
    require(events_.watch_readable(parts.bell, BridgeEvent::doorbell), "watching the doorbell");
    require(events_.watch_readable(engine_.fd(), BridgeEvent::engine), "watching the engine");
}

Bridge::End Bridge::run() {
    OrderLoss loss = reporter_.loss();
    while (loss == OrderLoss::none && !end_) {
        const Time now = beat(segment_.room().beat);
        pass_.run(now);
        look_at_room(now);
        wait(now);
        loss = pass_.loss();
    }
    if (loss == OrderLoss::none)
        return *end_;
    reporter_.report_loss(loss);
    events::room_lost(settings_.room, loss);
    return End::room_over;
}

void Bridge::look_at_room(Time now) {
    const Exchange& exchange = pass_.exchange();
    const bool joined = exchange.order().joined();
    if (joined && !std::exchange(is_joined_, joined))
        events::room_joined(settings_.room, exchange.order().state().epoch);
    const uint64_t wall_ms = unix_milliseconds();
    watch_.look({.link = engine_.link(), .waiting_since = exchange.waiting_since()}, now, wall_ms);
    reporter_.report(watch_.condition(), exchange);
    if (const auto news = watch_.take_news()) {
        if (news->kind == RoomWatch::News::Kind::waits)
            events::room_waits(settings_.room, watch_.condition());
        else
            events::room_goes_on(settings_.room, wall_ms - std::min(news->since_ms, wall_ms));
    }
    // Once for all bridges of a server: what they are told of the servers is the same.
    while (const auto warning = engine_.take_warning())
        if (!is_successor_)
            events::room_servers(*warning);
    say_dropped_lines();
}

void Bridge::wait(Time now) {
    const bool sleeps = pass_.may_sleep(doorbell_, now);
    follow_engine();
    const std::span<const EventQueue::Event> events =
        events_.wait(sleeps ? time_to_sleep() : no_time);
    if (sleeps)
        doorbell_.wake_up();
    handle(events);
}

// While nothing more can be read, what has come stays in the engine.
void Bridge::follow_engine() {
    if (pass_.is_held_up() != follows_engine_)
        return;
    follows_engine_ = !follows_engine_;
    if (follows_engine_)
        require(events_.resume_readable(engine_.fd(), BridgeEvent::engine), "the engine");
    else
        events_.pause_readable(engine_.fd(), BridgeEvent::engine);
}

void Bridge::handle(std::span<const EventQueue::Event> events) {
    for (const EventQueue::Event& event : events) {
        switch (tag_of(event).kind<BridgeEvent>()) {
        case BridgeEvent::engine: // the next turn looks
            break;
        case BridgeEvent::doorbell:
            doorbell_.empty_pipe();
            break;
        case BridgeEvent::lifeline: // nothing is sent over it
            end_ = End::server_ended;
            break;
        }
    }
}

std::chrono::nanoseconds Bridge::time_to_sleep() const {
    const Time now = Exchange::Time::clock::now();
    std::chrono::nanoseconds time = settings_.hang_limit / beats_per_limit;
    for (const std::optional<Time> due : {pass_.exchange().due(), watch_.due()})
        if (due)
            time = std::min<std::chrono::nanoseconds>(time, *due - now);
    return std::max(time, no_time);
}

} // namespace chatserv
