#include "worker/relay/pass.h"

#include "shared/segment/crash_point.h"

namespace chatserv {

void Pass::run(PassSteps& steps) {
    attach_and_publish(steps);
    // A worker without clients has nothing to do here, unless its last client has just left: that
    // client may have blocked the room.
    if (!steps.has_clients() && !state_.again && !steps.has_changes())
        return;
    deliver(steps);
    watch_room(steps);
}

void Pass::publish_and_deliver(PassSteps& steps) {
    publish(steps);
    deliver(steps);
}

bool Pass::may_sleep(PassSteps& steps, const Doorbell& doorbell) {
    if (has_work(steps))
        return false;
    const uint32_t announced = wake_reasons(steps);
    doorbell.announce_sleep(announced);
    if (!finds_work(steps, announced))
        return true;
    doorbell.wake_up();
    return false;
}

bool Pass::has_work(const PassSteps& steps) const {
    return state_.again || steps.has_changes() || steps.has_fresh_clients();
}

uint32_t Pass::wake_reasons(const PassSteps& steps) const {
    uint32_t reasons = wake_never;
    if (steps.has_clients())
        reasons |= wake_on_growth;
    if (state_.waits_for_lock)
        reasons |= wake_on_unlock;
    if (state_.waits_for_room)
        reasons |= wake_on_room;
    if (steps.waits_for_count())
        reasons |= wake_on_counted;
    return reasons;
}

bool Pass::finds_work(PassSteps& steps, uint32_t announced) {
    attach_and_publish(steps);
    // The log was locked and now has no room, or it had no room and now is locked. No other worker
    // knows of the new reason.
    if ((wake_reasons(steps) & ~announced) != 0)
        return true;
    return has_work(steps) ||
           (steps.has_clients() && (steps.deliverable(log_.head()) != state_.delivered_head ||
                                       room_wanted(steps) != state_.seen_room_wanted));
}

void Pass::attach_and_publish(PassSteps& steps) {
    state_.waits_for_lock = !steps.attach_newcomers();
    publish(steps);
}

void Pass::publish(PassSteps& steps) {
    const std::optional<Ingest::Publish> result = steps.publish();
    if (!result)
        return;
    state_.waits_for_room = result == Ingest::Publish::no_room;
    switch (*result) {
    case Ingest::Publish::locked_out:
        state_.waits_for_lock = true;
        return;
    case Ingest::Publish::no_room:
        tell_room_wanted();
        return;
    case Ingest::Publish::published:
        crash_point(CrashPoint::not_rung); // W5: the master rings for a worker that dies here
        doorbells_.ring((joined_ ? wake_on_outbound : wake_on_growth) | wake_on_unlock, entry_);
        break;
    case Ingest::Publish::nothing:
        break;
    }
    steps.everything_is_published();
}

// A demand for room is told once. If each attempt to publish told it, two workers that both wait
// for room would keep each other awake. In the outbound log the bridge alone makes room, and it
// needs no demand: it counts what has come back as soon as it has.
void Pass::tell_room_wanted() {
    if (joined_)
        return doorbells_.ring(wake_on_unlock, entry_);
    const uint64_t wanted = log_.room_wanted();
    const bool is_new = wanted != state_.told_room_wanted;
    state_.told_room_wanted = wanted;
    doorbells_.ring(is_new ? wake_on_growth | wake_on_unlock : wake_on_unlock, entry_);
}

void Pass::deliver(PassSteps& steps) {
    const uint64_t head = steps.deliverable(log_.head());
    const bool changes = steps.take_changes();
    const bool to_all = head != state_.delivered_head || state_.again || changes;
    state_.delivered_head = head;
    state_.again = false;
    steps.deliver(head, to_all);
}

// The demand for room with which the clients can be compared: not one beyond the offset up to which
// they may be served, which is no fault of theirs.
uint64_t Pass::room_wanted(const PassSteps& steps) const {
    const uint64_t wanted = log_.room_wanted();
    return wanted <= steps.deliverable(wanted) ? wanted : state_.seen_room_wanted;
}

// R7: an appender that finds no room says which offset all cursors must reach. Each worker compares
// its clients with that offset once, when it learns of the offset; when the last of them has got
// there, the worker wakes the appender. A worker that finds no client below the offset wakes the
// appender too: the appender may have looked at a cursor just before the cursor moved.
void Pass::watch_room(PassSteps& steps) {
    const uint64_t wanted = room_wanted(steps);
    const bool first_look = wanted != state_.seen_room_wanted;
    state_.seen_room_wanted = wanted;
    const bool blocked_before = state_.blocks_room;
    state_.blocks_room = steps.blocks_room(wanted, first_look);
    if (state_.blocks_room || (!first_look && !blocked_before))
        return;
    doorbells_.ring(wake_on_room, entry_);
    state_.again = state_.again || state_.waits_for_room; // this worker may be the appender
}

} // namespace chatserv
