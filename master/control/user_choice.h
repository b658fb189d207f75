// The users that a request names: by slot, or by address.
#pragma once

#include "master/config/network.h"
#include "master/ledger/ledger.h"
#include "shared/segment/user_table.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace chatserv {

struct UserChoice {
    std::optional<uint32_t> slot{};
    std::optional<uint32_t> generation{}; // with a slot alone: this user, and no later one
    std::optional<IpBytes> ip{};          // in place of a slot
    std::optional<uint16_t> port{};       // with an address alone: this one connection

    // Parses "3", "3 17" (slot and generation), "192.0.2.1", "2001:db8::1", "192.0.2.1:5555" and
    // "[2001:db8::1]:5555". Nothing for any other text.
    [[nodiscard]] static std::optional<UserChoice> parse(std::string_view text);
};

// The users that are meant, by slot.
[[nodiscard]] std::vector<ClientId> users_meant(const UserChoice& choice, const Ledger& ledger);

} // namespace chatserv
