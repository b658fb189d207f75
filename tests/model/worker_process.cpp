#include "tests/model/worker_process.h"

#include "master/workers/takeover.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

namespace chatserv::model {

WorkerProcess::WorkerProcess(
    const Surroundings& around, uint32_t entry, uint32_t slot, bool newcomer) :
    around_(around),
    kernel_(around.simulator), entry_(entry), shared_entry_(around.segment.worker_table()[entry]),
    users_(around.segment), log_(around.segment), control_(around.segment.log_control()),
    doorbell_(shared_entry_, pipe_reading(entry)), ingest_(around.segment, EntryId{entry}),
    fan_out_(around.segment, EntryId{entry}), client_{.id = {.slot = SlotId{slot}, .generation = 1},
                                                  .fd = UniqueFd(client_socket(slot)),
                                                  .slot = slot == no_client
                                                              ? nullptr
                                                              : &users_[SlotId{slot}]},
    pass_(around.segment, EntryId{entry}, around.doorbells),
    doubt_(operation_in_flight(shared_entry_)), newcomer_(newcomer),
    serves_(slot != no_client && !newcomer) {}

// Everything that makes a difference in the next turn.
Hash WorkerProcess::knowledge() const {
    const Pass::State& pass = pass_.state();
    Hash hash;
    hash.add(entry_ | static_cast<uint64_t>(doubt_.operation) << 8 | (newcomer_ ? 1U << 16 : 0U) |
             (pass.again ? 1U << 17 : 0U) | (pass.waits_for_lock ? 1U << 18 : 0U) |
             (pass.waits_for_room ? 1U << 19 : 0U) | (pass.blocks_room ? 1U << 20 : 0U) | 1U << 21 |
             (fresh_ ? 1U << 22 : 0U) | (serves_ ? 1U << 23 : 0U) | (asked_ ? 1U << 24 : 0U) |
             (changed_ ? 1U << 25 : 0U));
    hash.add(static_cast<uint64_t>(index_of(client_.id.slot)) << 32 | untold_);
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
        if ((events & event_readable) != 0)
            invariant(ingest_.read(client_).kind == Ingest::Read::Kind::some, "nothing was read");
        asked_ = asked_ || (events & event_asked) != 0;
        if ((events & event_client) != 0) {
            const uint32_t slot = kernel_.receive_client(entry_);
            invariant(!serves_ && !newcomer_, "the model is wrong: a worker has two clients");
            client_.id.slot = SlotId{slot};
            client_.slot = &users_[SlotId{slot}];
            (void)client_.fd.release(); // which no system has opened
            client_.fd = UniqueFd(client_socket(slot));
            newcomer_ = true;
        }
        if (around_.letting_go == LettingGo::unpublished && serves_ && asked_) {
            let_go();
            report();
        }
        pass_.run(*this);
        report();
    }
}

// Worker::report
void WorkerProcess::report() {
    if (untold_ != no_client)
        kernel_.tell(entry_, std::exchange(untold_, no_client));
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
    return serves_ && client_.id.slot == SlotId{entry_r};
}

bool WorkerProcess::attach_newcomers() {
    if (!newcomer_)
        return true;
    {
        const LogLock lock(control_, EntryId{entry_});
        if (!lock.held())
            return false;
        const SlotStatus status = status_of(*client_.slot);
        newcomer_ = false;
        serves_ = status.owner == EntryId{entry_}; // otherwise the master's word is out of date
        if (serves_ && status.state == SlotState::handed_over)
            users_.adopt_moved(client_.id, now_ns(entry_) - load_acquire(client_.slot->quiet_ns));
        else if (serves_)
            users_.adopt(client_.id);
    }
    around_.doorbells.ring(wake_on_unlock, EntryId{entry_});
    if (serves_)
        begin_to_serve();
    settle_doubt();
    return true;
}

// Relay::begin_to_serve
void WorkerProcess::begin_to_serve() {
    fresh_ = has_clients();
    if (fresh_ && cursor_of(*client_.slot).log_offset < pass_.state().seen_room_wanted)
        pass_.note_blocked_room();
    kernel_.watch(entry_, index_of(client_.id.slot));
}

void WorkerProcess::everything_is_published() {
    if (serves_ && asked_)
        let_go();
}

// HandingOver::let_go
void WorkerProcess::let_go() {
    kernel_.watch(entry_, no_client);
    users_.hand_over(client_.id, now_ns(entry_) - load_acquire(client_.slot->heard_ns));
    untold_ = index_of(client_.id.slot);
    serves_ = false;
    asked_ = false;
    changed_ = true;
}

void WorkerProcess::settle_doubt() {
    if (doubt_.operation == Operation::none)
        return;
    const std::optional<uint64_t> settled =
        doubt_.operation == Operation::receive
            ? ingest_.settle(client_, kernel_.consumed(index_of(client_.id.slot)))
            : FanOut::settle(client_, kernel_.written(index_of(client_.id.slot)), log_.head());
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

void run_master(const WorkerProcess::Surroundings& around, Recovery recovery, WantedMove move) {
    const Kernel kernel(around.simulator);
    const std::array<uint8_t, entries>& owners = around.simulator.state().kernel.owner;
    if (move.any())
        kernel.ask(move.from);
    for (;;) {
        Hash books;
        for (const uint8_t owner : owners)
            books.add(owner);
        around.simulator.forget(books);
        const Kernel::News news = kernel.wait_for_news(recovery != Recovery::before_last_words);
        if (news.let_go != no_client) {
            const ClientId client{.slot = SlotId{news.let_go}, .generation = 1};
            invariant(
                UserTable(around.segment).reassign(client, EntryId{news.entry}, EntryId{move.to}),
                "a worker told of a client that it had not let go");
            kernel.send_client(move.to, news.let_go);
            continue;
        }
        if (recovery == Recovery::right || recovery == Recovery::before_last_words)
            invariant(
                recover_entry(EntryId{news.entry}, around.segment, Escrow(owners), around.doorbells)
                    .empty(),
                "a client was lost");
        else
            recover_wrongly(news.entry, around, recovery);
        kernel.give(news.entry);
        if (news.entry == move.from && owners[move.from] == move.from)
            kernel.ask(move.from); // the successor
    }
}

void run_spare(const WorkerProcess::Surroundings& around) {
    const Kernel::Taken taken = Kernel(around.simulator).take();
    WorkerProcess(around, taken.entry, taken.slot, taken.slot != no_client).run();
}

} // namespace chatserv::model
