// Stands in for master/clients/escrow.h where master/workers/takeover.cpp is compiled into the
// model: the books on who serves which client, and no descriptors.
#pragma once

#include "shared/segment/user_table.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace chatserv {

class Escrow {
public:
    static constexpr size_t clients = 3;

    // By slot, the entry that each client is of.
    explicit Escrow(const std::array<uint8_t, clients>& owners) : owners_(owners) {}

    // No memory is allocated: a simulated process keeps all its state on its stack.
    class Clients {
    public:
        void add(ClientId client) { clients_[count_++] = client; }
        [[nodiscard]] const ClientId* begin() const { return clients_.data(); }
        [[nodiscard]] const ClientId* end() const { return clients_.data() + count_; }

    private:
        std::array<ClientId, clients> clients_{};
        size_t count_ = 0;
    };

    [[nodiscard]] Clients all_of(EntryId entry) const {
        Clients found;
        for (uint32_t slot = 0; slot < clients; ++slot)
            if (owners_[slot] == index_of(entry))
                found.add({.slot = SlotId{slot}, .generation = 1});
        return found;
    }
    // The simulated workers do not touch that number.
    [[nodiscard]] uint32_t slots_ever_used() const { return 0; }

private:
    std::array<uint8_t, clients> owners_;
};

} // namespace chatserv
