#include "master/control/user_choice.h"

#include "master/config/address.h"
#include "master/ledger/noted_address.h"
#include "shared/system/whole_number.h"

#include <string>

namespace chatserv {

namespace {

bool is_meant(const UserChoice& choice, uint32_t slot, const ClientRecord& record) {
    if (choice.slot)
        return slot == *choice.slot &&
               choice.generation.value_or(record.generation) == record.generation;
    const Address peer = address_of(record.peer);
    return !peer.is_unix() && ip_of(peer) == choice.ip &&
           choice.port.value_or(record.peer.port) == record.peer.port;
}

} // namespace

std::optional<UserChoice> UserChoice::parse(std::string_view text) {
    const size_t space = text.find(' ');
    if (const auto slot = whole_number<uint32_t>(text.substr(0, space))) {
        if (space == std::string_view::npos)
            return UserChoice{.slot = slot};
        const auto generation = whole_number<uint32_t>(text.substr(space + 1));
        return generation ? std::optional(UserChoice{.slot = slot, .generation = generation})
                          : std::nullopt;
    }
    const std::string address(text);
    if (address.starts_with("unix:")) // such a user has no address: its slot names it
        return std::nullopt;
    if (const auto with_port = Address::parse(address))
        return UserChoice{.ip = ip_of(*with_port), .port = with_port->port()};
    // The port does not matter; it makes of the text what an address is parsed from.
    const bool is_v6 = address.find(':') != std::string::npos;
    if (const auto alone = Address::parse(is_v6 ? "[" + address + "]:1" : address + ":1"))
        return UserChoice{.ip = ip_of(*alone)};
    return std::nullopt;
}

std::vector<ClientId> users_meant(const UserChoice& choice, const Ledger& ledger) {
    std::vector<ClientId> meant;
    uint32_t slot = 0;
    for (const ClientRecord& record : ledger.clients()) {
        if (record.generation == 0) // no slot from here on was ever used
            break;
        if (number_of(record.socket) != -1 && is_meant(choice, slot, record))
            meant.push_back({.slot = SlotId{slot}, .generation = record.generation});
        ++slot;
    }
    return meant;
}

} // namespace chatserv
