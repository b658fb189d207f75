// Admission: who may come in, by the address that they come from.
//
// A peer must be in one of the networks that --allow names, where it names any, and in none that
// --deny names: the order in which they are written says nothing. Of those who may, only so many
// are in at once from one address. An IPv6 host has a whole /64 to choose addresses from, so
// there the /64 counts as one.
#pragma once

#include "master/clients/counters.h"
#include "master/config/network.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace chatserv {

class Admission {
public:
    struct Rules {
        std::vector<Network> allow{};
        std::vector<Network> deny{};
        uint32_t max_per_address = 0; // 0: as many as there are slots
    };

    explicit Admission(Rules rules) : rules_(std::move(rules)) {}

    // Why this peer may not come in now; nothing where it may.
    [[nodiscard]] std::optional<Refusal> refusal(const Address& peer) const;

    // It has come in; it has left. Each entered() has one left().
    void entered(const Address& peer);
    void left(const Address& peer);

    // How many addresses somebody is in from.
    [[nodiscard]] size_t addresses() const { return present_.size(); }

private:
    Rules rules_;
    // By address: how many are in. A tree, since strangers choose the keys. Empty without a limit.
    std::map<IpBytes, uint32_t> present_;
};

} // namespace chatserv
