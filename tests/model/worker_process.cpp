#include "tests/model/worker_process.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

namespace chatserv::model {

WorkerProcess::WorkerProcess(const Surroundings& around, uint32_t entry) :
    around_(around), calls_(around.simulator), entry_(entry),
    shared_entry_(around.segment.worker_table()[entry]), users_(around.segment),
    log_(around.segment), control_(around.segment.log_control()),
    doorbell_(shared_entry_, descriptor(Descriptor::pipe_reading, entry)),
    ingest_(around.segment, EntryId{entry}), fan_out_(around.segment, EntryId{entry}), client_{},
    pass_(around.segment, EntryId{entry}, around.doorbells),
    doubt_(operation_in_flight(shared_entry_)), words_(calls_, users_, entry, around.introduction) {
}

// Everything that makes a difference in the next turn.
Hash WorkerProcess::knowledge() const {
    const Pass::State& pass = pass_.state();
    uint64_t flags = 1;
    for (const bool flag : {newcomer_, serves_, fresh_, asked_, changed_, client_.is_closing(),
             client_.phase == Client::Phase::ended, pass.again, pass.waits_for_lock,
             pass.waits_for_room, pass.blocks_room})
        flags = flags << 1 | (flag ? 1U : 0U);
    Hash hash;
    hash.add(flags << 32 | static_cast<uint64_t>(doubt_.operation) << 8 | entry_);
    hash.add(key_of(client_.id));
    hash.add(static_cast<uint64_t>(connection_) << 32 | words_.kept());
    hash.add(pass.delivered_head);
    hash.add(pass.seen_room_wanted);
    hash.add(pass.told_room_wanted);
    return hash;
}

// Worker::run
void WorkerProcess::run() {
    for (;;) {
        around_.simulator.forget(knowledge());
        const uint32_t events = calls_.events(may_sleep());
        doorbell_.wake_up();
        handle(events);
        if (around_.letting_go == LettingGo::unpublished && serves_ && asked_) {
            let_go();
            words_.report();
        }
        pass_.run(*this);
        words_.report();
    }
}

// The new channel first: what is on its way in the old one is lost with it. That it is read before
// is a schedule of its own, in which the offer comes later.
void WorkerProcess::handle(uint32_t events) {
    if ((events & event_rung) != 0)
        doorbell_.empty_pipe();
    if ((events & event_readable) != 0)
        read();
    if ((events & event_offered) != 0) {
        calls_.take_channel();
        asked_ = false;
        return words_.introduce(serves_ ? std::optional(client_.id) : std::nullopt);
    }
    take_orders(events);
}

void WorkerProcess::take_orders(uint32_t events) {
    asked_ = asked_ || (events & event_asked) != 0;
    if ((events & event_client) != 0)
        receive(calls_.receive_client());
}

// Reading::read
void WorkerProcess::read() {
    const Ingest::Read read = ingest_.read(client_);
    if (read.kind == Ingest::Read::Kind::some)
        return;
    invariant(read.kind == Ingest::Read::Kind::end_of_file, "nothing was read");
    client_.phase = Client::Phase::ended;
    calls_.stop_reading(connection_);
    changed_ = true;
}

void WorkerProcess::set_client(const WorkerCalls::Arrival& arrival) {
    (void)client_.fd.release(); // which no system has opened
    connection_ = arrival.connection;
    client_ = {.id = arrival.id,
        .fd = UniqueFd(descriptor(Descriptor::connection, connection_)),
        .slot = &users_[arrival.id.slot]};
}

// MasterLink, Attaching::has. A client that is here already need not be sent again.
void WorkerProcess::receive(const WorkerCalls::Arrival& arrival) {
    if ((serves_ || newcomer_) && client_.id == arrival.id)
        return;
    invariant(!serves_ && !newcomer_, "the model is wrong: a worker has two clients");
    set_client(arrival);
    newcomer_ = true;
}

void WorkerProcess::begin_with(const WorkerCalls::Arrival& arrival) {
    set_client(arrival);
    serves_ = true;
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
    return serves_ && connection_ == entry_r;
}

bool WorkerProcess::attach_newcomers() {
    if (!newcomer_)
        return true;
    {
        const LogLock lock(control_, EntryId{entry_});
        if (!lock.held())
            return false;
        newcomer_ = false;
        serves_ = attach();
    }
    around_.doorbells.ring(wake_on_unlock, EntryId{entry_});
    if (serves_)
        begin_to_serve();
    settle_doubt();
    return true;
}

// Attaching::attach_one. False where the master's word is out of date.
bool WorkerProcess::attach() {
    const SlotStatus status = status_of(*client_.slot);
    if (status.generation != client_.id.generation || status.owner != EntryId{entry_})
        return false;
    invariant(client_.slot->port == port_of(connection_),
        "a slot does not describe the connection of its client");
    switch (status.state) {
    case SlotState::assigned: {
        const LogReplay replay(around_.segment);
        const uint64_t from =
            replay.start({.stall_limit_ms = 1000, .replay_bytes = around_.replay_bytes});
        replay.keep(from);
        users_.attach(client_.id, from);
        calls_.note_joined(connection_, from);
        return true;
    }
    case SlotState::orphaned:
        users_.adopt(client_.id);
        return true;
    case SlotState::handed_over:
        users_.adopt_moved(client_.id, now_ns(entry_) - load_acquire(client_.slot->quiet_ns));
        return true;
    case SlotState::closing:
        client_.phase = Client::Phase::closing;
        return true;
    default:
        return false;
    }
}

// Relay::begin_to_serve
void WorkerProcess::begin_to_serve() {
    fresh_ = has_clients();
    changed_ = changed_ || client_.is_closing();
    if (fresh_ && cursor_of(*client_.slot).log_offset < pass_.state().seen_room_wanted)
        pass_.note_blocked_room();
    calls_.watch(connection_);
    if (client_.is_closing())
        calls_.stop_reading(connection_);
}

void WorkerProcess::everything_is_published() {
    if (serves_ && client_.phase == Client::Phase::ended)
        close();
    if (serves_ && client_.is_closing() && !has_clients())
        leave();
    if (serves_ && asked_)
        let_go();
}

// HandingOver::let_go
void WorkerProcess::let_go() {
    calls_.unwatch(connection_);
    if (client_.phase == Client::Phase::talking)
        users_.hand_over(client_.id, now_ns(entry_) - load_acquire(client_.slot->heard_ns));
    words_.note_let_go(client_.id);
    serves_ = false;
    asked_ = false;
    changed_ = true;
}

// Closing::begin_closing
void WorkerProcess::close() {
    users_.close(client_.id, log_.head());
    client_.phase = Client::Phase::closing;
    changed_ = true;
}

// Closing::leave
void WorkerProcess::leave() {
    move_cursor(*client_.slot, {cursor_of(*client_.slot).bytes_written, log_offset_none});
    calls_.unwatch(connection_);
    words_.note_closed(client_.id);
    serves_ = false;
    changed_ = true;
}

void WorkerProcess::settle_doubt() {
    if (doubt_.operation == Operation::none)
        return;
    const std::optional<uint64_t> settled =
        doubt_.operation == Operation::receive
            ? ingest_.settle(client_, calls_.consumed(connection_))
            : FanOut::settle(client_, calls_.written(connection_), log_.head());
    invariant(settled.has_value(), "what a dead worker had in flight could not be settled");
    doubt_.operation = Operation::none;
    end_operation(shared_entry_);
}

std::optional<Ingest::Publish> WorkerProcess::publish() {
    if (doubt_.operation != Operation::none)
        return std::nullopt;
    return ingest_.publish([](const ChunkRecord&, const LogRange&) {});
}

// Deliveries::deliver, Closing::delivered_all. A socket that is full takes more at once here: the
// client reads.
void WorkerProcess::deliver(uint64_t head, bool to_all) {
    const bool wanted = has_clients() && (to_all || fresh_);
    fresh_ = false;
    if (!wanted)
        return;
    const uint64_t target = client_.is_closing() ? load_acquire(client_.slot->close_at) : head;
    if (fan_out_.deliver(client_, target).kind != FanOut::Delivery::Kind::complete)
        pass_.run_again();
    else if (client_.is_closing())
        leave();
}

bool WorkerProcess::blocks_room(uint64_t wanted, bool /*first_look*/) {
    return has_clients() && cursor_of(*client_.slot).log_offset < wanted;
}

void run_spare(const WorkerProcess::Surroundings& around) {
    const WorkerCalls calls(around.simulator);
    for (;;) {
        around.simulator.forget({});
        const uint32_t events = calls.events(true);
        if ((events & event_offered) != 0) {
            calls.take_channel();
            calls.tell({.kind = Word::Kind::hello});
            calls.tell({.kind = Word::Kind::introduced});
        } else if ((events & event_entry) != 0) {
            WorkerProcess worker(around, calls.receive_entry());
            worker.take_orders(events);
            worker.run();
        }
    }
}

} // namespace chatserv::model
