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
    HeldClient held;
    held.socket_ = std::move(socket);
    held.peer_ = peer;
    held.generation_ = slots_[index_of(slot)].generation_ + 1;
    held.entry_ = entry;
    const ClientId client{.slot = slot, .generation = held.generation_};
    write_address(users_[slot], peer);
    write_base(users_[slot], keep_account_ ? byte_counts(held.socket()) : std::nullopt);
    slots_[index_of(slot)] = std::move(held);
    ++clients_of_entry_[index_of(entry)];
    ++held_;
    users_.assign(client, entry);
    return client;
}

HeldClient* Escrow::find(ClientId client) {
    if (index_of(client.slot) >= slots_.size())
        return nullptr;
    HeldClient& held = slots_[index_of(client.slot)];
    return held.socket_ && held.generation_ == client.generation ? &held : nullptr;
}

HeldClient* Escrow::find_served_by(EntryId entry, ClientId client) {
    HeldClient* const held = find(client);
    return held != nullptr && held->entry() == entry ? held : nullptr;
}

bool Escrow::reassign(ClientId client, EntryId to) {
    HeldClient* const held = find(client);
    invariant(held != nullptr, "a client was moved that was not held");
    if (!users_.reassign(client, held->entry(), to))
        return false;
    --clients_of_entry_[index_of(held->entry())];
    ++clients_of_entry_[index_of(to)];
    held->entry_ = to;
    return true;
}

UniqueFd Escrow::take(ClientId client) {
    HeldClient* const held = find(client);
    invariant(held != nullptr, "a client was released that was not held");
    users_.release(client);
    UniqueFd socket = std::move(held->socket_);
    freed_.push(client.slot);
    --clients_of_entry_[index_of(held->entry())];
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
        if (slots_[index].socket_ && slots_[index].entry() == entry)
            clients.push_back({.slot = SlotId{index}, .generation = slots_[index].generation_});
    return clients;
}

} // namespace chatserv
