#include "tests/model/worker_process.h"

#include "master/workers/takeover.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

namespace chatserv::model {

WorkerProcess::WorkerProcess(const Surroundings& around, uint32_t entry, bool newcomer) :
    around_(around), kernel_(around.simulator), entry_(entry),
    shared_entry_(around.segment.worker_table()[entry]), users_(around.segment),
    log_(around.segment), control_(around.segment.log_control()),
    doorbell_(shared_entry_, pipe_reading(entry)), ingest_(around.segment, entry),
    fan_out_(around.segment, entry), client_{.id = {.slot = entry, .generation = 1},
                                         .fd = UniqueFd(client_socket(entry)),
                                         .slot = &users_[entry]},
    doubt_(operation_in_flight(shared_entry_)), newcomer_(newcomer) {}

// All that is of use in the next round; whatever else it has learnt makes no difference.
Hash WorkerProcess::knowledge() const {
    Hash hash;
    hash.add(entry_ | static_cast<uint64_t>(doubt_.operation) << 8 | (newcomer_ ? 1U << 16 : 0U) |
             (pass_needed_ ? 1U << 17 : 0U) | (waits_for_lock_ ? 1U << 18 : 0U) |
             (waits_for_room_ ? 1U << 19 : 0U) | (blocks_room_ ? 1U << 20 : 0U) | 1U << 21);
    hash.add(delivered_head_);
    hash.add(seen_room_wanted_);
    hash.add(told_room_wanted_);
    return hash;
}

// Worker::run
void WorkerProcess::run() {
    for (;;) {
        around_.simulator.forget(knowledge());
        const uint32_t events = kernel_.events(entry_, nothing_to_do());
        doorbell_.wake_up();
        if ((events & event_rung) != 0)
            doorbell_.empty_pipe();
        if ((events & event_readable) != 0 && !newcomer_)
            invariant(ingest_.read(client_) == Ingest::Read::some, "nothing was read");
        settle();
    }
}

bool WorkerProcess::nothing_to_do() {
    if (pass_needed_)
        return false;
    if (around_.sleep == Sleep::looks_before_announcing) {
        const bool found = look_again();
        if (!found)
            doorbell_.announce_sleep(wake_reasons());
        return !found;
    }
    doorbell_.announce_sleep(wake_reasons());
    if (!look_again())
        return true;
    doorbell_.wake_up();
    return false;
}

bool WorkerProcess::listens() const {
    return entry_ == entry_r && !newcomer_;
}

uint32_t WorkerProcess::wake_reasons() const {
    return wake_never | (listens() ? wake_on_growth : 0U) |
           (waits_for_lock_ ? wake_on_unlock : 0U) | (waits_for_room_ ? wake_on_room : 0U);
}

bool WorkerProcess::look_again() {
    const uint32_t announced = wake_reasons();
    waits_for_lock_ = false;
    attach_newcomer();
    publish();
    const bool new_reasons = (wake_reasons() & ~announced) != 0;
    if (new_reasons && around_.sleep != Sleep::forgets_new_reasons)
        return true;
    return pass_needed_ || (listens() && (log_.head() != delivered_head_ ||
                                             log_.room_wanted() != seen_room_wanted_));
}

void WorkerProcess::settle() {
    waits_for_lock_ = false;
    attach_newcomer();
    publish();
    if (listens()) {
        deliver();
        watch_room();
    } else {
        pass_needed_ = false;
    }
}

void WorkerProcess::attach_newcomer() {
    if (!newcomer_)
        return;
    {
        const LogLock lock(control_, entry_);
        if (!lock.held()) {
            waits_for_lock_ = true;
            return;
        }
        // Else this one died before its predecessor's successor had adopted it.
        if (status_of(users_[entry_]).state == SlotState::orphaned)
            users_.adopt(client_.id);
        newcomer_ = false;
    }
    around_.doorbells.ring(wake_on_unlock, entry_);
    settle_doubt();
    pass_needed_ = true;
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

void WorkerProcess::publish() {
    if (doubt_.operation != Operation::none)
        return;
    const Ingest::Publish result = ingest_.publish([](const ChunkRecord&, const LogRange&) {});
    waits_for_room_ = result == Ingest::Publish::no_room;
    if (result == Ingest::Publish::locked_out)
        waits_for_lock_ = true;
    else if (result == Ingest::Publish::no_room)
        tell_room_wanted();
    else if (result == Ingest::Publish::published)
        around_.doorbells.ring(wake_on_growth | wake_on_unlock, entry_);
}

void WorkerProcess::tell_room_wanted() {
    const uint64_t wanted = log_.room_wanted();
    const bool news = wanted != told_room_wanted_;
    told_room_wanted_ = wanted;
    around_.doorbells.ring(news ? wake_on_growth | wake_on_unlock : wake_on_unlock, entry_);
}

void WorkerProcess::deliver() {
    const uint64_t head = log_.head();
    if (head == delivered_head_ && !pass_needed_)
        return;
    delivered_head_ = head;
    pass_needed_ = false;
    // A socket that is full takes more at once here: the client reads.
    if (fan_out_.deliver(client_, head) != FanOut::Delivery::complete)
        pass_needed_ = true;
}

void WorkerProcess::watch_room() {
    const uint64_t wanted = log_.room_wanted();
    const bool has_got_on = cursor_of(*client_.slot).log_offset >= wanted;
    bool worth_telling = blocks_room_ && has_got_on;
    if (wanted != seen_room_wanted_) {
        seen_room_wanted_ = wanted;
        worth_telling = has_got_on;
    }
    blocks_room_ = !has_got_on;
    if (worth_telling) {
        around_.doorbells.ring(wake_on_room, entry_);
        pass_needed_ = pass_needed_ || waits_for_room_;
    }
}

namespace {

// recover_entry with one thing left out.
void recover_wrongly(uint32_t entry, const WorkerProcess::Surroundings& around, Recovery recovery) {
    if (recovery != Recovery::without_repair)
        LogAppender(around.segment).repair(entry);
    store_release(around.segment.worker_table()[entry].asleep, 0);
    const SlotState state =
        UserTable(around.segment)
            .orphan({.slot = entry, .generation = 1}, static_cast<uint16_t>(entry));
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
            invariant(recover_entry(
                          static_cast<uint16_t>(entry), around.segment, Escrow(), around.doorbells)
                          .empty(),
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
