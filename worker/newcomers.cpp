// Service, the ways in: how a client that the master has sent is attached, or carried on with after
// its worker died.
#include "worker/service.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

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
            beat();
            crash_point(CrashPoint::some_attached);
        }
        newcomers_.clear();
        find_own_ranges(present);
    }
    doorbells_.ring(wake_on_unlock, entry_);
    crash_point(CrashPoint::all_attached);
    for (Client* const client : present) {
        attached_.push_back(client->id);
        fresh_.push_back(client->id);
        watch_room_of(*client);
        if (client->phase == Client::Phase::talking)
            start_reading(*client);
        if (finishing_ && client->phase == Client::Phase::talking)
            end(*client, LeaveReason::server_stopped, 0);
    }
    settle_doubt();
    arm_stall_timer();
}

// Null where the slot is not waiting for this worker: the descriptor is closed, and the master,
// whose word was out of date, still has its own.
Client* Service::attach(Newcomer& newcomer) {
    invariant(
        newcomer.id.slot < users_.size(), "the master gave a worker a slot that there is not");
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
    invariant(log_.can_serve(users_[newcomer.id.slot]), "a cursor was where the log is not");
    Client& client = roster_.add(newcomer.id, std::move(newcomer.fd), users_[newcomer.id.slot]);
    client.phase = phase;
    client.adopting = status.state != SlotState::assigned;
    if (phase == Client::Phase::closing) {
        if (finishing_)
            client.leave_reason = LeaveReason::server_stopped;
        else if (load_acquire(client.slot->idled) != 0)
            client.leave_reason = LeaveReason::idle;
        stalls_.add_farewell(client, clock_.now());
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
    const int error = events_.watch_readable(client.fd.get(), tag_of(client.id));
    if (error != 0) {
        end(client, LeaveReason::read_error, error);
        return;
    }
    if (stop_reading_)
        events_.pause_readable(client.fd.get(), tag_of(client.id));
    watch_idle(client);
}

} // namespace chatserv
