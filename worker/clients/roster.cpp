#include "worker/clients/roster.h"

#include "shared/system/panic.h"

namespace chatserv {

Client* Roster::find(ClientId id) const {
    const uint32_t slot = index_of(id.slot);
    if (slot >= by_slot_.size() || by_slot_[slot] == nullptr)
        return nullptr;
    Client* const client = by_slot_[slot].get();
    return client->id == id ? client : nullptr;
}

std::vector<ClientId> Roster::ids() const {
    std::vector<ClientId> ids;
    for (const std::unique_ptr<Client>& client : by_slot_)
        if (client != nullptr)
            ids.push_back(client->id);
    return ids;
}

Client& Roster::add(ClientId id, UniqueFd fd, UserSlot& slot) {
    const uint32_t index = index_of(id.slot);
    if (index >= by_slot_.size())
        by_slot_.resize(index + 1);
    invariant(by_slot_[index] == nullptr, "a worker was given a slot that it serves already");
    by_slot_[index] = std::make_unique<Client>(
        Client{.id = id, .fd = std::move(fd), .slot = &slot, .role = role_of(slot.role)});
    Client& client = *by_slot_[index];
    begin_flowing(client);
    ++count_;
    return client;
}

void Roster::remove(Client& client) {
    wake(client);
    block(client);
    --count_;
    by_slot_[index_of(client.id.slot)].reset();
}

void Roster::block(Client& client) {
    if (client.write_blocked)
        return;
    client.write_blocked = true;
    end_flowing(client);
}

void Roster::unblock(Client& client) {
    if (!client.write_blocked)
        return;
    client.write_blocked = false;
    begin_flowing(client);
}

void Roster::rest(Client& client) {
    if (!client.flowing)
        return;
    end_flowing(client);
    ++resting_;
}

void Roster::wake(Client& client) {
    if (client.flowing || client.write_blocked)
        return;
    begin_flowing(client);
    --resting_;
}

void Roster::begin_flowing(Client& client) {
    client.flowing = true;
    client.flowing_index = flowing_.size();
    flowing_.push_back(&client);
}

void Roster::end_flowing(Client& client) {
    client.flowing = false;
    flowing_[client.flowing_index] = flowing_.back();
    flowing_[client.flowing_index]->flowing_index = client.flowing_index;
    flowing_.pop_back();
}

} // namespace chatserv
