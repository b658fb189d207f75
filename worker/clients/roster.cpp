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

Client& Roster::add(ClientId id, UniqueFd fd, UserSlot& slot) {
    const uint32_t index = index_of(id.slot);
    if (index >= by_slot_.size())
        by_slot_.resize(index + 1);
    invariant(by_slot_[index] == nullptr, "a worker was given a slot that it serves already");
    by_slot_[index] =
        std::make_unique<Client>(Client{.id = id, .fd = std::move(fd), .slot = &slot});
    Client& client = *by_slot_[index];
    client.flowing_index = flowing_.size();
    flowing_.push_back(&client);
    ++count_;
    return client;
}

void Roster::remove(Client& client) {
    block(client);
    --count_;
    by_slot_[index_of(client.id.slot)].reset();
}

void Roster::block(Client& client) {
    if (client.write_blocked)
        return;
    client.write_blocked = true;
    flowing_[client.flowing_index] = flowing_.back();
    flowing_[client.flowing_index]->flowing_index = client.flowing_index;
    flowing_.pop_back();
}

void Roster::unblock(Client& client) {
    if (!client.write_blocked)
        return;
    client.write_blocked = false;
    client.flowing_index = flowing_.size();
    flowing_.push_back(&client);
}

} // namespace chatserv
