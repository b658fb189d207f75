// Admission: whether a peer may come in, by its address.
//
// Where --allow names networks, the peer must be in one of them, and it must be in none that --deny
// names. The order in which they are written does not matter. At most --max-per-address users are
// connected from one address at once. An IPv6 host can choose any address of its /64, so a /64
// counts as one address. A peer at a UNIX socket has no address: the mode and the group of the
// socket's file say who may connect, and none of these rules concerns it.
#pragma once

#include "master/clients/departures.h"
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

    // Other rules from now on. `present`: the address of every user that is connected. Users whom
    // the new rules would not admit stay.
    void follow(Rules rules, const std::vector<Address>& present);

    // Why this peer cannot come in now; nothing where it can.
    [[nodiscard]] std::optional<Refusal> refusal(const Address& peer) const;

    // A peer has come in; it has left. Each entered() has one left().
    void entered(const Address& peer);
    void left(const Address& peer);

    // From how many addresses users are connected.
    [[nodiscard]] size_t addresses() const { return present_.size(); }

private:
    Rules rules_;
    // How many users are connected from each address. A tree and no hash table, because strangers
    // choose the keys. Empty without a limit.
    std::map<IpBytes, uint32_t> present_;
};

} // namespace chatserv
