#include "tests/model/joined/bridge_process.h"

#include "shared/segment/room_state.h"
#include "tests/model/worker_calls.h"

#include <algorithm>

namespace chatserv::model {

namespace {

WorkerEntry& own_entry(const Segment& segment) {
    return segment.all_entries()[entry_bridge];
}

// What GoingOn::remembers believes to have counted.
void remember_what_was_published(const BridgeProcess::Surroundings& around) {
    const RoomStates states(around.segment);
    if (auto progress = states.in_force()) {
        progress->counted =
            std::max(progress->counted, around.simulator.state().stream.published_to);
        (void)states.write(*progress, around.segment.log_control().head);
    }
}

} // namespace

BridgeProcess::BridgeProcess(const Surroundings& around) :
    around_(around), engine_(around.simulator, around.segment),
    doorbell_(own_entry(around.segment), descriptor(Descriptor::pipe_reading, entry_bridge)),
    pass_(around.segment, engine_, around.doorbells, Exchange::Settings{}) {}

// What the bridge knows follows from what it has read and published, and when. Beyond that it
// remembers whether it has told of a demand for room: from its first one on nothing is forgotten.
Hash BridgeProcess::knowledge() const {
    Hash hash = engine_.knowledge();
    hash.add(pass_.is_held_up() ? 1 : 0);
    hash.add(static_cast<uint64_t>(now_.time_since_epoch().count()));
    return hash;
}

// Bridge::run
void BridgeProcess::run() {
    for (;;) {
        was_held_up_ = was_held_up_ || (pass_.is_held_up() && !around_.roomy);
        if (!was_held_up_)
            around_.simulator.forget(knowledge());
        pass_.run(now_);
        const bool sleeps = pass_.may_sleep(doorbell_, now_);
        if (pass_.loss() != OrderLoss::none)
            around_.simulator.fail("the bridge has lost the room's order");
        const auto due = pass_.exchange().due();
        const StreamEngine::Events events =
            engine_.wait(sleeps, !pass_.is_held_up(), due.has_value());
        if (sleeps)
            doorbell_.wake_up();
        if (events.rung)
            doorbell_.empty_pipe();
        else if (sleeps && !events.readable)
            now_ = *due;
    }
}

void run_bridge(const BridgeProcess::Surroundings& around) {
    BridgeProcess(around).run();
}

void run_next_bridge(const BridgeProcess::Surroundings& around) {
    const WorkerCalls calls(around.simulator);
    (void)calls.events(true);
    (void)calls.receive_entry();
    if (around.going_on == GoingOn::remembers)
        remember_what_was_published(around);
    run_bridge(around);
}

} // namespace chatserv::model
