#include "master/clients/escrow.h"

#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>

namespace chatserv {

namespace {

void write_base(UserSlot& slot, const std::optional<ByteCounts>& counts) {
    slot.accounted = counts ? 1 : 0;
    slot.written_base = counts ? counts->written : 0;
    slot.consumed_base = counts ? counts->consumed : 0;
}

void write_address(UserSlot& slot, const Address& peer) {
    const bool v6 = peer.family() == AF_INET6;
    std::memset(slot.address, 0, sizeof slot.address);
    std::memcpy(slot.address, peer.ip_bytes(), v6 ? 16 : 4);
    slot.port = peer.port();
    slot.ip_version = v6 ? 6 : 4;
}

} // namespace

SlotId Escrow::take_lowest_free_slot() {
    if (freed_.empty()) {
        slots_.emplace_back();
        return SlotId{static_cast<uint32_t>(slots_.size() - 1)};
    }
    const SlotId slot = freed_.top();
    freed_.pop();
    return slot;
}

ClientId Escrow::admit(UniqueFd socket, const Address& peer, EntryId entry) {
    invariant(!full(), "a client was admitted to a full table");
    const SlotId slot = take_lowest_free_slot();
    Held& held = slots_[index_of(slot)];
    held.socket = std::move(socket);
    held.peer = peer;
    held.entry = entry;
    held.announced = false;
    held.moving = false;
    held.to_be_sent_again = false;
    held.throttled = false;
    ++held.generation;
    ++clients_of_entry_[index_of(entry)];
    ++held_;
    const ClientId client{.slot = slot, .generation = held.generation};
    write_address(users_[slot], peer);
    write_base(users_[slot], keep_account_ ? byte_counts(held.socket.get()) : std::nullopt);
    users_.assign(client, entry);
    return client;
}

Escrow::Held* Escrow::find(ClientId client) {
    if (index_of(client.slot) >= slots_.size())
        return nullptr;
    Held& held = slots_[index_of(client.slot)];
    return held.socket && held.generation == client.generation ? &held : nullptr;
}

UniqueFd Escrow::take(ClientId client) {
    Held* const held = find(client);
    invariant(held != nullptr, "a client was released that was not held");
    users_.release(client);
    UniqueFd socket = std::move(held->socket);
    freed_.push(client.slot);
    --clients_of_entry_[index_of(held->entry)];
    --held_;
    return socket;
}

void Escrow::release(ClientId client) {
    const UniqueFd socket = take(client);
    // The worker's own copy may still be open for an instant: close(2) alone would send nothing.
    ::shutdown(socket.get(), SHUT_RDWR);
}

std::vector<ClientId> Escrow::all_of(EntryId entry) const {
    std::vector<ClientId> clients;
    for (uint32_t index = 0; index < slots_.size(); ++index)
        if (slots_[index].socket && slots_[index].entry == entry)
            clients.push_back({.slot = SlotId{index}, .generation = slots_[index].generation});
    return clients;
}

} // namespace chatserv
