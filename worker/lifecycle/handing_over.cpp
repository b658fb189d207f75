#include "worker/lifecycle/handing_over.h"

#include "shared/segment/crash_point.h"

namespace chatserv {

std::vector<ClientId> HandingOver::let_go() {
    std::vector<ClientId> gone;
    if (asked_.empty())
        return gone;
    std::erase_if(asked_, [&](ClientId id) {
        Client* const client = roster_.find(id);
        if (client == nullptr)
            return !is_to_come(id);
        const bool leaves_soon = client->mute && !client->is_paused();
        if (leaves_soon || room_watch_.blocks(id))
            return false;
        switch (client->phase) {
        case Client::Phase::ended:
            if (client->outbound_end == 0)
                return false; // it is closing soon
            [[fallthrough]];  // it waits (closing.h), and the next worker reads its end anew
        case Client::Phase::talking:
        case Client::Phase::closing:
            let_go(*client);
            gone.push_back(id);
            pulse_.beat();
            return true;
        case Client::Phase::lingering:
            break;
        }
        return true;
    });
    if (gone.empty())
        return gone;
    handed_over_.insert(handed_over_.end(), gone.begin(), gone.end());
    changed_ = true;
    crash_point(CrashPoint::untold_moves); // W7
    return gone;
}

// Whether the master has sent this worker a client, or will, that is not attached yet.
bool HandingOver::is_to_come(ClientId id) const {
    if (index_of(id.slot) >= users_.size())
        return false;
    const UserSlot& slot = users_[id.slot];
    const SlotStatus status = status_of(slot);
    if (status.generation != id.generation || status.owner != entry_)
        return false;
    const bool has_left =
        status.state == SlotState::closing && cursor_of(slot).log_offset == log_offset_none;
    return status.state != SlotState::free && status.state != SlotState::attached && !has_left;
}

// The filters go first. After the change of state the descriptor is still open for an instant, and
// the next worker may serve the socket already; an event would find no client here.
void HandingOver::let_go(Client& client) {
    filters_.remove(client);
    if (client.phase != Client::Phase::closing)
        users_.hand_over(client.id, idle_watch_.quiet_ns(client, !client.is_paused()));
    crash_point(CrashPoint::let_go); // W7
    roster_.remove(client);
}

} // namespace chatserv
