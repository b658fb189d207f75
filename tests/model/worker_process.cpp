#include "tests/model/worker_process.h"

#include "master/workers/takeover.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

namespace chatserv::model {

WorkerProcess::WorkerProcess(const Surroundings& around, uint32_t entry, bool newcomer) :
    around_(around), kernel_(around.simulator), entry_(entry),
    shared_entry_(around.segment.worker_table()[entry]), users_(around.segment),
    log_(around.segment), control_(around.segment.log_control()),
    doorbell_(shared_entry_, pipe_reading(entry)), ingest_(around.segment, EntryId{entry}),
    fan_out_(around.segment, EntryId{entry}), client_{.id = {.slot = SlotId{entry},
                                                          .generation = 1},
                                                  .fd = UniqueFd(client_socket(entry)),
                                                  .slot = &users_[SlotId{entry}]},
    pass_(around.segment, EntryId{entry}, around.doorbells),
    doubt_(operation_in_flight(shared_entry_)), newcomer_(newcomer) {}

// Everything that makes a difference in the next turn.
Hash WorkerProcess::knowledge() const {
    const Pass::State& pass = pass_.state();
    Hash hash;
    hash.add(entry_ | static_cast<uint64_t>(doubt_.operation) << 8 | (newcomer_ ? 1U << 16 : 0U) |
             (pass.again ? 1U << 17 : 0U) | (pass.waits_for_lock ? 1U << 18 : 0U) |
             (pass.waits_for_room ? 1U << 19 : 0U) | (pass.blocks_room ? 1U << 20 : 0U) | 1U << 21 |
             (fresh_ ? 1U << 22 : 0U));
    hash.add(pass.delivered_head);
    hash.add(pass.seen_room_wanted);
    hash.add(pass.told_room_wanted);
    return hash;
}

// Worker::run
void WorkerProcess::run() {
    for (;;) {
        around_.simulator.forget(knowledge());
        const uint32_t events = kernel_.events(entry_, may_sleep());
        doorbell_.wake_up();
        if ((events & event_rung) != 0)
            doorbell_.empty_pipe();
        if ((events & event_readable) != 0 && !newcomer_)
            invariant(ingest_.read(client_).kind == Ingest::Read::Kind::some, "nothing was read");
        pass_.run(*this);
    }
}

bool WorkerProcess::may_sleep() {
    if (around_.sleep == Sleep::right)
        return pass_.may_sleep(*this, doorbell_);
    if (pass_.has_work(*this))
        return false;
    if (around_.sleep == Sleep::looks_before_announcing) {
        const bool found = pass_.finds_work(*this, pass_.wake_reasons(*this));
        if (!found)
            doorbell_.announce_sleep(pass_.wake_reasons(*this));
        return !found;
    }
    constexpr uint32_t every_reason = ~0U; // Sleep::forgets_new_reasons
    doorbell_.announce_sleep(pass_.wake_reasons(*this));
    if (!pass_.finds_work(*this, every_reason))
        return true;
    doorbell_.wake_up();
    return false;
}

// The clients that send get nothing, as if their sockets took nothing more, so there is no need to
// look at the log for them.
bool WorkerProcess::has_clients() const {
    return entry_ == entry_r && !newcomer_;
}

bool WorkerProcess::attach_newcomers() {
    if (!newcomer_)
        return true;
    {
        const LogLock lock(control_, EntryId{entry_});
        if (!lock.held())
            return false;
        // Otherwise this process's predecessor died before it had adopted the client itself.
        if (status_of(users_[SlotId{entry_}]).state == SlotState::orphaned)
            users_.adopt(client_.id);
        newcomer_ = false;
    }
    around_.doorbells.ring(wake_on_unlock, EntryId{entry_});
    settle_doubt();
    fresh_ = has_clients();
    return true;
}

void WorkerProcess::settle_doubt() {
    if (doubt_.operation == Operation::none)
        return;
    const std::optional<uint64_t> settled =
        doubt_.operation == Operation::receive
            ? ingest_.settle(client_, kernel_.consumed(entry_))
            : FanOut::settle(client_, kernel_.written(entry_), log_.head());
    invariant(settled.has_value(), "what a dead worker had in flight could not be settled");
    doubt_.operation = Operation::none;
    end_operation(shared_entry_);
}

std::optional<Ingest::Publish> WorkerProcess::publish() {
    if (doubt_.operation != Operation::none)
        return std::nullopt;
    return ingest_.publish([](const ChunkRecord&, const LogRange&) {});
}

void WorkerProcess::deliver(uint64_t head, bool to_all) {
    const bool wanted = has_clients() && (to_all || fresh_);
    fresh_ = false;
    // A socket that is full takes more at once here: the client reads.
    if (wanted && fan_out_.deliver(client_, head).kind != FanOut::Delivery::Kind::complete)
        pass_.run_again();
}

bool WorkerProcess::blocks_room(uint64_t wanted, bool /*first_look*/) {
    return has_clients() && cursor_of(*client_.slot).log_offset < wanted;
}

namespace {

// recover_entry(), with one thing left out.
void recover_wrongly(uint32_t entry, const WorkerProcess::Surroundings& around, Recovery recovery) {
    if (recovery != Recovery::without_repair)
        LogAppender(around.segment).repair(EntryId{entry});
    store_release(around.segment.worker_table()[entry].asleep, 0);
    const SlotState state =
        UserTable(around.segment).orphan({.slot = SlotId{entry}, .generation = 1}, EntryId{entry});
    invariant(state != SlotState::free, "a client was lost");
    if (recovery != Recovery::without_ringing)
        around.doorbells.ring_all();
}

} // namespace

void run_master(const WorkerProcess::Surroundings& around, Recovery recovery) {
    const Kernel kernel(around.simulator);
    for (;;) {
        around.simulator.forget({});
        const uint32_t entry = kernel.reap();
        if (recovery == Recovery::right)
            invariant(
                recover_entry(EntryId{entry}, around.segment, Escrow(), around.doorbells).empty(),
                "a client was lost");
        else
            recover_wrongly(entry, around, recovery);
        kernel.give(entry);
    }
}

void run_spare(const WorkerProcess::Surroundings& around) {
    const uint32_t entry = Kernel(around.simulator).take();
    WorkerProcess(around, entry, true).run();
}

} // namespace chatserv::model
