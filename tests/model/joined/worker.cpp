#include "tests/model/joined/worker.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/log_lock.h"
#include "shared/system/panic.h"

namespace chatserv::model {

JoinedWorker::JoinedWorker(const Surroundings& around, uint32_t entry) :
    around_(around), calls_(around.simulator), entry_(entry),
    shared_entry_(around.segment.worker_table()[entry]), users_(around.segment),
    log_(around.segment), outbound_(around.segment),
    doorbell_(shared_entry_, descriptor(Descriptor::pipe_reading, entry)),
    publisher_(around.segment, EntryId{entry}), deliveries_(around.segment, EntryId{entry}),
    learning_(around.segment, EntryId{entry}, around.doorbells),
    pass_(around.segment, EntryId{entry}, around.doorbells),
    doubt_(operation_in_flight(shared_entry_)) {}

// Everything that makes a difference in the next turn.
Hash JoinedWorker::knowledge() const {
    const Pass::State& pass = pass_.state();
    uint64_t flags = 1;
    for (const bool flag : {client_ != nullptr, newcomer_.has_value(), fresh_, changed_, pass.again,
             pass.waits_for_lock, pass.waits_for_room, pass.blocks_room})
        flags = flags << 1 | (flag ? 1U : 0U);
    Hash hash;
    hash.add(flags << 32 | static_cast<uint64_t>(doubt_.operation) << 8 | entry_);
    hash.add(pass.delivered_head);
    hash.add(pass.seen_room_wanted);
    hash.add(learning_.known_up_to(0));
    if (client_ == nullptr)
        return hash;
    hash.add(static_cast<uint64_t>(client_->phase));
    hash.add(client_->outbound_end);
    for (const LogRange& range : client_->own) {
        hash.add(range.begin);
        hash.add(range.end);
    }
    return hash;
}

// Worker::run
void JoinedWorker::run() {
    for (;;) {
        around_.simulator.forget(knowledge());
        const uint32_t events = calls_.events(pass_.may_sleep(*this, doorbell_));
        doorbell_.wake_up();
        if ((events & event_rung) != 0)
            doorbell_.empty_pipe();
        if ((events & event_readable) != 0 && client_ != nullptr)
            read();
        pass_.run(*this);
    }
}

// Reading::read, Closing::end
void JoinedWorker::read() {
    const Ingest::Read read = publisher_.ingest().read(*client_);
    if (read.kind == Ingest::Read::Kind::some)
        return;
    invariant(read.kind == Ingest::Read::Kind::end_of_file, "nothing was read");
    client_->phase = Client::Phase::ended;
    calls_.stop_reading(connection_);
    changed_ = true;
}

Client& JoinedWorker::add(const WorkerCalls::Arrival& arrival) {
    connection_ = arrival.connection;
    client_ = &roster_.add(arrival.id, UniqueFd(descriptor(Descriptor::connection, connection_)),
        users_[arrival.id.slot]);
    return *client_;
}

void JoinedWorker::begin_with(const WorkerCalls::Arrival& arrival) {
    (void)add(arrival);
}

// Relay::attach_newcomers
bool JoinedWorker::attach_newcomers() {
    if (!learning_.catch_up(roster_))
        return false;
    if (!newcomer_)
        return true;
    {
        const LogLock lock(around_.segment.log_control(), EntryId{entry_});
        if (!lock.held())
            return false;
        learning_.learn(roster_);
        attach(*std::exchange(newcomer_, std::nullopt));
    }
    around_.doorbells.ring(wake_on_unlock, EntryId{entry_});
    begin_to_serve();
    settle_doubt();
    return true;
}

// Attaching::attach_one
void JoinedWorker::attach(const WorkerCalls::Arrival& arrival) {
    UserSlot& slot = users_[arrival.id.slot];
    const SlotStatus status = status_of(slot);
    invariant(status.generation == arrival.id.generation && status.owner == EntryId{entry_},
        "a successor was given a client of another entry");
    if (status.state == SlotState::orphaned)
        users_.adopt(arrival.id);
    else
        invariant(status.state == SlotState::closing, "a successor was given no orphan");
    Client& client = add(arrival);
    if (status.state == SlotState::closing)
        client.phase = Client::Phase::closing;
    client.outbound_end = learning_.outbound_end_of(slot);
    find_own_ranges(cursor_of(slot).log_offset);
}

// Attaching::find_own_ranges
void JoinedWorker::find_own_ranges(uint64_t cursor) {
    if (cursor >= log_.head())
        return;
    log_.for_each_chunk_after(cursor, [&](const IndexEntry& chunk, uint64_t begin) {
        if (ClientId{chunk.slot, chunk.generation} == client_->id)
            client_->own.add({begin, chunk.end});
    });
}

// Relay::begin_to_serve
void JoinedWorker::begin_to_serve() {
    fresh_ = true;
    if (cursor_of(*client_->slot).log_offset < pass_.state().seen_room_wanted)
        pass_.note_blocked_room();
    calls_.watch(connection_);
    if (client_->is_closing())
        calls_.stop_reading(connection_);
}

// InDoubt::settle
void JoinedWorker::settle_doubt() {
    if (doubt_.operation == Operation::none)
        return;
    const std::optional<uint64_t> settled =
        doubt_.operation == Operation::receive
            ? publisher_.ingest().settle(*client_, calls_.consumed(connection_))
            : FanOut::settle(*client_, calls_.written(connection_),
                  client_->is_closing() ? load_acquire(client_->slot->close_at) : log_.head());
    invariant(settled.has_value(), "what a dead worker had in flight could not be settled");
    doubt_.operation = Operation::none;
    end_operation(shared_entry_);
}

std::optional<Ingest::Publish> JoinedWorker::publish() {
    if (doubt_.operation != Operation::none)
        return std::nullopt;
    return publisher_.publish(roster_);
}

// Closing::close_ended
void JoinedWorker::everything_is_published() {
    if (waits_for_count() && outbound_.counted() >= client_->outbound_end)
        close();
}

bool JoinedWorker::waits_for_count() const {
    return client_ != nullptr && client_->phase == Client::Phase::ended;
}

// Closing::begin_closing
void JoinedWorker::close() {
    users_.close(client_->id, log_.head());
    client_->phase = Client::Phase::closing;
    changed_ = true;
}

// Closing::leave. There is nobody whom it would tell.
void JoinedWorker::leave() {
    move_cursor(*client_->slot, {cursor_of(*client_->slot).bytes_written, log_offset_none});
    calls_.unwatch(connection_);
    roster_.remove(*std::exchange(client_, nullptr));
    changed_ = true;
}

uint64_t JoinedWorker::deliverable(uint64_t head) const {
    return around_.delivering == Delivering::everything ? head : learning_.known_up_to(head);
}

// Relay::deliver_to. A socket that is full takes more at once here: the client reads.
void JoinedWorker::deliver(uint64_t head, bool to_all) {
    const bool wanted = client_ != nullptr && (to_all || fresh_);
    fresh_ = false;
    if (!wanted)
        return;
    if (deliveries_.deliver(*client_, head).kind != FanOut::Delivery::Kind::complete)
        pass_.run_again();
    else if (client_->is_closing() && Deliveries::has_all(*client_))
        leave();
}

bool JoinedWorker::blocks_room(uint64_t wanted, bool /*first_look*/) {
    return client_ != nullptr && cursor_of(*client_->slot).log_offset < wanted;
}

void run_joined_spare(const JoinedWorker::Surroundings& around) {
    const WorkerCalls calls(around.simulator);
    (void)calls.events(true);
    JoinedWorker worker(around, calls.receive_entry());
    worker.receive(calls.receive_client());
    worker.run();
}

} // namespace chatserv::model
