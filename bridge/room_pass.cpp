#include "bridge/room_pass.h"

#include <utility>

namespace chatserv {
namespace {

// What one append may take: a host's log begins with it.
Exchange::Settings within_log(Exchange::Settings settings, const Segment& segment) {
    settings.history_bytes_max = BridgedAppender::bytes_max(segment);
    return settings;
}

Order order_of(Incarnation incarnation, const std::optional<OrderState>& state) {
    return state ? Order(incarnation, *state) : Order(incarnation);
}

} // namespace

RoomPass::RoomPass(const Segment& segment, Engine& engine, const Doorbells& doorbells,
    Exchange::Settings settings) :
    outbox_(segment, doorbells),
    inbox_(segment, doorbells),
    exchange_(engine, outbox_, inbox_, order_of(outbox_.incarnation(), inbox_.state()),
        within_log(settings, segment)) {
    // W10: a predecessor that died after a commit has not said what it made of the outbound log.
    outbox_.counted(exchange_.order().counted());
}

void RoomPass::run(Time now) {
    seen_head_ = outbox_.head();
    turn_ = exchange_.turn(now);
}

bool RoomPass::may_sleep(const Doorbell& doorbell, Time now) {
    if (turn_.more || turn_.loss != OrderLoss::none)
        return false;
    const uint32_t announced = wake_reasons();
    doorbell.announce_sleep(announced);
    if (!finds_work(announced, now))
        return true;
    doorbell.wake_up();
    return false;
}

uint32_t RoomPass::wake_reasons() const {
    uint32_t reasons = wake_on_outbound;
    if (turn_.no_room)
        reasons |= inbox_.waits_for() == SegmentInbox::Wait::lock ? wake_on_unlock : wake_on_room;
    return reasons;
}

bool RoomPass::finds_work(uint32_t announced, Time now) {
    if (outbox_.head() == seen_head_ && !turn_.no_room)
        return false;
    run(now);
    // The log was locked and now has no room, or the other way round: no worker knows of the new
    // reason.
    return turn_.more || turn_.loss != OrderLoss::none || outbox_.head() != seen_head_ ||
           (wake_reasons() & ~announced) != 0;
}

} // namespace chatserv
