#include "tests/model/joined/stand_in.h"

#include "master/workers/takeover.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/log_append.h"
#include "shared/segment/user_table.h"
#include "shared/system/panic.h"

namespace chatserv::model {

namespace {

// processes_max: none.
uint32_t first_exit(const State& state) {
    uint32_t process = 0;
    while (process < processes_max &&
           !(state.processes[process].dead && state.kernel.exit_watched[process] != 0))
        ++process;
    return process;
}

bool any_exit(const State& state, size_t /*process*/) {
    return first_exit(state) != processes_max;
}

} // namespace

void StandIn::run() const {
    for (;;) {
        around_.simulator.forget({});
        around_.simulator.call("hears of a death", any_exit);
        State& state = around_.simulator.state();
        const uint32_t process = first_exit(state);
        state.kernel.exit_watched[process] = 0;
        around_.simulator.note(process);
        const uint32_t entry = state.processes[process].entry;
        recover(entry);
        give(entry);
    }
}

// BridgeProcess::bury, and recover_entry() for a worker with one client.
void StandIn::recover(uint32_t entry) const {
    if (entry == entry_bridge && around_.repair == Repair::right)
        return repair_bridge(around_.segment, around_.doorbells);
    repair_logs(around_.segment, EntryId{entry});
    store_release(around_.segment.all_entries()[entry].asleep, 0);
    if (entry != entry_bridge)
        invariant(UserTable(around_.segment)
                          .orphan({.slot = SlotId{entry}, .generation = 1}, EntryId{entry}) !=
                      SlotState::free,
            "a client was lost");
    if (around_.repair == Repair::right)
        around_.doorbells.ring_all();
}

void StandIn::give(uint32_t entry) const {
    around_.simulator.call("gives the entry to the next process");
    State& state = around_.simulator.state();
    for (const uint32_t next : entry == entry_bridge ? around_.next_bridges : around_.spares) {
        ChannelState& channel = state.kernel.channels[next];
        if (state.processes[next].entry != no_entry || channel.entry != 0)
            continue;
        channel.entry = static_cast<uint8_t>(entry + 1);
        if (entry != entry_bridge)
            channel.coming = {.slot = static_cast<uint8_t>(entry),
                .generation = 1,
                .connection = static_cast<uint8_t>(entry)};
        return;
    }
    around_.simulator.fail("the model is wrong: there is no next process");
}

} // namespace chatserv::model
