// Service: newcomers, reading and publishing, writing, and what to sleep for. How a client leaves
// is in farewell.cpp.
#include "worker/service.h"

#include "shared/kernel_account.h"
#include "shared/panic.h"

#include <algorithm>
#include <cerrno>

namespace chatserv {

Service::Service(
    const Region& region, uint32_t entry, EventQueue& events, const Doorbells& doorbells) :
    entry_(entry),
    shared_entry_(&region.worker_table()[entry]), events_(events), doorbells_(doorbells),
    users_(region), log_(region), log_control_(&region.log_control()), ingest_(region, entry),
    fan_out_(region, entry), stalls_(std::chrono::milliseconds(region.header().stall_limit_ms)),
    doubt_(operation_in_flight(*shared_entry_)) {}

void Service::receive(ClientId id, UniqueFd fd) {
    newcomers_.push_back({id, std::move(fd)});
}

void Service::settle() {
    waits_for_lock_ = false;
    attach_newcomers();
    publish();
    deliver_to_all();
    watch_room();
}

uint32_t Service::wake_reasons() const {
    uint32_t reasons = wake_never;
    if (!roster_.empty())
        reasons |= wake_on_growth;
    if (waits_for_lock_)
        reasons |= wake_on_unlock;
    if (waits_for_room_)
        reasons |= wake_on_room;
    return reasons;
}

bool Service::look_again() {
    waits_for_lock_ = false;
    attach_newcomers();
    publish();
    return pass_needed_ || (!roster_.empty() && (log_.head() != delivered_head_ ||
                                                    log_.room_wanted() != seen_room_wanted_));
}

// --- newcomers ---------------------------------------------------------------------------------

// Under the log's lock, so that no append can fall between the cursor's place and its being counted
// as a reader's (R4).
void Service::attach_newcomers() {
    if (newcomers_.empty() || client_in_doubt_is_missing())
        return;
    std::vector<Client*> present;
    {
        LogLock lock(*log_control_, entry_);
        if (!lock.held()) {
            waits_for_lock_ = true;
            return;
        }
        for (Newcomer& newcomer : newcomers_) {
            if (Client* const client = attach(newcomer))
                present.push_back(client);
        }
        newcomers_.clear();
        find_own_ranges(present);
    }
    doorbells_.ring(wake_on_unlock, entry_);
    for (Client* const client : present) {
        attached_.push_back(client->id);
        if (client->phase == Client::Phase::talking)
            start_reading(*client);
        if (finishing_ && client->phase == Client::Phase::talking)
            end(*client, LeaveReason::server_stopped, 0);
    }
    settle_doubt();
    arm_stall_timer();
    pass_needed_ = true;
}

// A client that the master has released meanwhile is in no doubt any more.
bool Service::client_in_doubt_is_missing() {
    if (doubt_.operation == Operation::none)
        return false;
    const bool known = doubt_.slot < users_.size();
    const SlotStatus status = known ? status_of(users_[doubt_.slot]) : SlotStatus{};
    if (status.owner != entry_ ||
        (status.state != SlotState::orphaned && status.state != SlotState::closing)) {
        doubt_.operation = Operation::none;
        return false;
    }
    const ClientId id{.slot = doubt_.slot, .generation = status.generation};
    return std::none_of(newcomers_.begin(), newcomers_.end(),
        [id](const Newcomer& newcomer) { return newcomer.id == id; });
}

// W1, W2: the client that the dead worker was reading from or writing to. The kernel's account says
// how far its socket is; the staging area or the cursor is brought there, and what the predecessor
// had in flight is settled. A death in between leaves it to the next successor to do again.
void Service::settle_doubt() {
    if (doubt_.operation == Operation::none)
        return;
    const ClientId id{.slot = doubt_.slot, .generation = status_of(users_[doubt_.slot]).generation};
    Client* const client = roster_.find(id);
    invariant(client != nullptr, "others were attached before the client in doubt");
    const UserSlot& slot = *client->slot;
    const auto counts =
        slot.accounted != 0 ? byte_counts(client->fd.get()) : std::optional<ByteCounts>();
    const bool settled =
        counts &&
        (doubt_.operation == Operation::receive
                ? ingest_.settle(*client, counts->consumed - slot.consumed_base)
                : FanOut::settle(*client, counts->written - slot.written_base,
                      client->phase == Client::Phase::closing ? slot.close_at : log_.head()));
    doubt_.operation = Operation::none;
    end_operation(*shared_entry_);
    if (!settled)
        drop(*client, LeaveReason::in_doubt, 0);
}

// Null where the slot is not waiting for this worker: the descriptor is closed, and the master,
// whose word was out of date, still has its own.
Client* Service::attach(Newcomer& newcomer) {
    const SlotStatus status = status_of(users_[newcomer.id.slot]);
    if (status.generation != newcomer.id.generation || status.owner != entry_)
        return nullptr;
    Client::Phase phase = Client::Phase::talking;
    switch (status.state) {
    case SlotState::assigned:
        users_.attach(newcomer.id, log_.head());
        break;
    case SlotState::orphaned:
        users_.adopt(newcomer.id);
        break;
    case SlotState::closing:
        phase = Client::Phase::closing;
        break;
    default:
        return nullptr;
    }
    Client& client = roster_.add(newcomer.id, std::move(newcomer.fd), users_[newcomer.id.slot]);
    client.phase = phase;
    client.adopting = status.state != SlotState::assigned;
    if (phase == Client::Phase::closing) {
        if (finishing_)
            client.leave_reason = LeaveReason::server_stopped;
        stalls_.add(client, StallWatch::Kind::farewell);
    }
    return &client;
}

// What of the log ahead of their cursors the adopted ones sent themselves, found in one walk. (The
// others' cursors are at the head, and they will learn of their ranges when these are published.)
void Service::find_own_ranges(const std::vector<Client*>& newcomers) {
    const uint64_t head = log_.head();
    uint64_t from = head;
    for (const Client* const client : newcomers)
        from = std::min(from, cursor_of(*client->slot).log_offset);
    if (from == head)
        return;
    log_.for_each_chunk_after(from, [&](const IndexEntry& chunk, uint64_t begin) {
        Client* const sender = roster_.find({chunk.slot, chunk.generation});
        if (sender == nullptr || !sender->adopting)
            return;
        const uint64_t cursor = cursor_of(*sender->slot).log_offset;
        if (chunk.end > cursor)
            sender->own.add({std::max(begin, cursor), chunk.end});
    });
    for (Client* const client : newcomers)
        client->adopting = false;
}

void Service::start_reading(Client& client) {
    const uint16_t flags = stop_reading_ ? EV_ADD | EV_DISABLE : EV_ADD;
    const int error = events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_READ, flags,
        NOTE_NODATA, 0, udata_of(client.id));
    if (error != 0)
        end(client, LeaveReason::read_error, error);
}

// --- ingest ------------------------------------------------------------------------------------

void Service::readable(ClientId id) {
    Client* const client = roster_.find(id);
    if (client == nullptr)
        return;
    if (client->phase == Client::Phase::lingering) {
        discard_input(*client);
        return;
    }
    if (client->phase != Client::Phase::talking || client->read_held)
        return;
    if (ingest_.full())
        publish();
    if (ingest_.full()) {
        hold_reading(*client);
        return;
    }
    switch (ingest_.read(*client)) {
    case Ingest::Read::some:
    case Ingest::Read::nothing:
        break;
    case Ingest::Read::end_of_file:
        end(*client, LeaveReason::end_of_file, 0);
        break;
    case Ingest::Read::failed:
        end(*client, LeaveReason::read_error, errno);
        break;
    }
}

// The log has no room, and TCP holds the sender back as long as it is not read.
void Service::hold_reading(Client& client) {
    client.read_held = true;
    held_.push_back(client.id);
    // A level-triggered filter left enabled would report these bytes for as long as they wait.
    [[maybe_unused]] const int error = events_.change(static_cast<uintptr_t>(client.fd.get()),
        EVFILT_READ, EV_DISABLE, NOTE_NODATA, 0, udata_of(client.id));
}

void Service::publish() {
    if (doubt_.operation != Operation::none)
        return;
    const Ingest::Publish result =
        ingest_.publish([&](const ChunkRecord& chunk, const LogRange& range) {
            if (Client* const sender = roster_.find({chunk.slot, chunk.generation}))
                sender->own.add(range);
        });
    waits_for_room_ = result == Ingest::Publish::no_room;
    switch (result) {
    case Ingest::Publish::locked_out:
        waits_for_lock_ = true;
        return;
    case Ingest::Publish::no_room:
        tell_room_wanted();
        return;
    case Ingest::Publish::published:
        doorbells_.ring(wake_on_growth | wake_on_unlock, entry_);
        break;
    case Ingest::Publish::nothing:
        break;
    }
    after_publishing();
}

// Once for each demand: were it told at every attempt, two workers that both wait would keep each
// other awake.
void Service::tell_room_wanted() {
    const uint64_t wanted = log_.room_wanted();
    const bool news = wanted != told_room_wanted_;
    told_room_wanted_ = wanted;
    doorbells_.ring(news ? wake_on_growth | wake_on_unlock : wake_on_unlock, entry_);
}

// Nothing is staged: those who were held are read again, those who ended can be closed.
void Service::after_publishing() {
    for (const ClientId id : std::exchange(held_, {})) {
        Client* const client = roster_.find(id);
        if (client == nullptr || client->phase != Client::Phase::talking)
            continue;
        client->read_held = false;
        if (stop_reading_)
            continue;
        const int error = events_.change(static_cast<uintptr_t>(client->fd.get()), EVFILT_READ,
            EV_ENABLE, NOTE_NODATA, 0, udata_of(id));
        if (error != 0)
            end(*client, LeaveReason::read_error, error);
    }
    for (const ClientId id : std::exchange(ended_, {}))
        if (Client* const client = roster_.find(id))
            begin_closing(*client);
}

void Service::stop_reading() {
    stop_reading_ = true;
    roster_.for_each([&](Client& client) {
        if (client.phase == Client::Phase::talking && !client.read_held) [[maybe_unused]]
            const int error = events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_READ,
                EV_DISABLE, NOTE_NODATA, 0, udata_of(client.id));
    });
}

// --- fan-out -----------------------------------------------------------------------------------

void Service::deliver_to_all() {
    const uint64_t head = log_.head();
    if (head == delivered_head_ && !pass_needed_)
        return;
    delivered_head_ = head;
    pass_needed_ = false;
    roster_.for_each_flowing([&](Client& client) { deliver_to(client); });
}

uint64_t Service::target_of(const Client& client) const {
    const bool closing =
        client.phase == Client::Phase::closing || client.phase == Client::Phase::lingering;
    return closing ? client.slot->close_at : delivered_head_;
}

void Service::deliver_to(Client& client) {
    const uint64_t target = target_of(client);
    if (client.mute) {
        skip_to(client, target);
        return;
    }
    switch (fan_out_.deliver(client, target)) {
    case FanOut::Delivery::complete:
        if (client.phase == Client::Phase::closing)
            delivered_all_to_closing(client);
        break;
    case FanOut::Delivery::more:
        pass_needed_ = true;
        break;
    case FanOut::Delivery::blocked:
        wait_for_write(client);
        break;
    case FanOut::Delivery::failed:
        if (client.phase == Client::Phase::closing)
            drop(client, LeaveReason::write_error, errno);
        else
            mute(client);
        break;
    }
}

// A client whose socket takes nothing any more is not gone yet: what it sent before may still lie
// unread in the socket (R5). Until that is read, its cursor keeps up with the head as if it were
// written to, for it must not block the room: least of all its own.
void Service::mute(Client& client) {
    client.mute = true;
    skip_to(client, target_of(client));
}

void Service::skip_to(Client& client, uint64_t log_offset) {
    move_cursor(*client.slot, {cursor_of(*client.slot).bytes_written, log_offset});
    client.own.forget_up_to(log_offset);
}

void Service::wait_for_write(Client& client) {
    roster_.block(client);
    client.write_filter = true;
    // A filter that has been dispatched stays disabled until it is enabled, added again or not.
    const int error = events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_WRITE,
        EV_ADD | EV_ENABLE | EV_DISPATCH, 0, 0, udata_of(client.id));
    if (error != 0)
        drop(client, LeaveReason::write_error, error);
}

void Service::writable(ClientId id) {
    Client* const client = roster_.find(id);
    if (client == nullptr)
        return;
    roster_.unblock(*client);
    pass_needed_ = true;
}

// --- room --------------------------------------------------------------------------------------

// R7: an appender that finds no room says which offset every cursor must reach. Each worker looks
// once, when it learns of the demand, which of its clients are below it; the last of them to get
// there makes it worth waking the appender. A worker that finds none wakes it as well: the appender
// may have looked at a cursor just before it moved.
void Service::watch_room() {
    const uint64_t wanted = log_.room_wanted();
    const auto has_got_on = [&](ClientId id) {
        const Client* const client = roster_.find(id);
        return client == nullptr || cursor_of(*client->slot).log_offset >= wanted;
    };
    stalls_.release_room(has_got_on);
    bool worth_telling = blocks_room_ && !stalls_.any_blocks_room();
    if (wanted != seen_room_wanted_) {
        seen_room_wanted_ = wanted;
        roster_.for_each([&](const Client& client) {
            if (!has_got_on(client.id))
                stalls_.add(client, StallWatch::Kind::room);
        });
        worth_telling = !stalls_.any_blocks_room();
        arm_stall_timer();
    }
    blocks_room_ = stalls_.any_blocks_room();
    if (worth_telling) {
        doorbells_.ring(wake_on_room, entry_);
        pass_needed_ = pass_needed_ || waits_for_room_; // this worker's own turn to try again
    }
}

} // namespace chatserv
