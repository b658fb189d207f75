#include "worker/lifecycle/attaching.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/segment/log_lock.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

Attaching::Attaching(const Segment& segment, EntryId entry, const Doorbells& doorbells,
    Learning& learning, const IdleWatch& idle_watch, const Pulse& pulse,
    const RelaySettings& settings) :
    entry_(entry),
    users_(segment), log_(segment), replay_(segment), log_control_(&segment.log_control()),
    doorbells_(doorbells), learning_(learning), idle_watch_(idle_watch), pulse_(pulse),
    settings_(settings) {}

bool Attaching::has(ClientId id) const {
    return std::any_of(newcomers_.begin(), newcomers_.end(),
        [id](const Newcomer& newcomer) { return newcomer.id == id; });
}

// Under the log's lock, so that no append falls between the placing of a cursor and the instant
// from which appenders respect it (R4).
std::optional<std::vector<Client*>> Attaching::attach(Roster& roster) {
    std::vector<Client*> present;
    {
        const LogLock lock(*log_control_, entry_);
        if (!lock.held())
            return std::nullopt;
        learning_.learn(roster);
        replay_from_.reset();
        for (Newcomer& newcomer : newcomers_) {
            if (roster.find(newcomer.id) != nullptr)
                attached_.push_back(newcomer.id);
            else if (Client* const client = attach_one(newcomer, roster)) {
                present.push_back(client);
                attached_.push_back(client->id);
            }
            pulse_.beat();
            crash_point(CrashPoint::some_attached); // W4
        }
        newcomers_.clear();
        find_own_ranges(present, roster);
    }
    doorbells_.ring(wake_on_unlock, entry_);
    crash_point(CrashPoint::all_attached); // W4
    return present;
}

// One that speaks needs nothing of the log, and one that resumes has yet to say what. The replay is
// the same for all others that are attached while the lock is held, so it is looked for once. The
// log is kept from there on before the first cursor is placed there (W8).
uint64_t Attaching::first_offset_of(Role role) {
    if (role == Role::speak || role == Role::resume)
        return log_offset_none;
    if (!replay_from_) {
        replay_from_ = replay_.start(settings_);
        replay_.keep(*replay_from_);
    }
    return *replay_from_;
}

// Null if the slot does not wait for this worker.
Client* Attaching::attach_one(Newcomer& newcomer, Roster& roster) {
    invariant(index_of(newcomer.id.slot) < users_.size(),
        "the master gave a worker a slot that does not exist");
    UserSlot& slot = users_[newcomer.id.slot];
    const SlotStatus status = status_of(slot);
    if (status.generation != newcomer.id.generation || status.owner != entry_)
        return nullptr;
    Client::Phase phase = Client::Phase::talking;
    switch (status.state) {
    case SlotState::assigned:
        users_.attach(newcomer.id, first_offset_of(role_of(slot.role)));
        break;
    case SlotState::orphaned:
        users_.adopt(newcomer.id);
        break;
    case SlotState::handed_over:
        users_.adopt_moved(newcomer.id, idle_watch_.heard_ns(load_acquire(slot.quiet_ns)));
        break;
    case SlotState::closing:
        phase = Client::Phase::closing;
        break;
    default:
        return nullptr;
    }
    invariant(log_.can_serve(slot), "a cursor was outside the log");
    Client& client = roster.add(newcomer.id, std::move(newcomer.fd), slot);
    client.phase = phase;
    client.adopting = status.state != SlotState::assigned;
    if (client.adopting)
        client.outbound_end = learning_.outbound_end_of(slot);
    return &client;
}

// Finds the adopted clients' own chunks ahead of their cursors, in one walk through the index.
// (Other newcomers have none yet, and learn of their own chunks when the chunks are in the log.)
void Attaching::find_own_ranges(const std::vector<Client*>& newcomers, const Roster& roster) const {
    const uint64_t head = log_.head();
    uint64_t from = head;
    for (const Client* const client : newcomers)
        if (client->adopting)
            from = std::min(from, cursor_of(*client->slot).log_offset);
    if (from != head)
        log_.for_each_chunk_after(from, [&](const IndexEntry& chunk, uint64_t begin) {
            Client* const sender = roster.find({chunk.slot, chunk.generation});
            if (sender == nullptr || !sender->adopting)
                return;
            const uint64_t cursor = cursor_of(*sender->slot).log_offset;
            if (chunk.end > cursor)
                sender->own.add({std::max(begin, cursor), chunk.end});
        });
    // In any case: whoever were still adopting when the next clients come would have the chunks
    // that it published meanwhile a second time.
    for (Client* const client : newcomers)
        client->adopting = false;
}

} // namespace chatserv
