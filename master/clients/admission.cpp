#include "master/clients/admission.h"

#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

namespace {

constexpr unsigned ipv6_host_bits = 64;

bool any_contains(const std::vector<Network>& networks, const IpBytes& ip) {
    return std::any_of(networks.begin(), networks.end(),
        [&](const Network& network) { return network.contains(ip); });
}

// The address that a peer counts for.
IpBytes host_of(const IpBytes& ip) {
    return is_ipv4(ip) ? ip : first_bits(ip, ipv6_host_bits);
}

} // namespace

void Admission::follow(Rules rules, const std::vector<Address>& present) {
    rules_ = std::move(rules);
    present_.clear();
    for (const Address& peer : present)
        entered(peer);
}

std::optional<Refusal> Admission::refusal(const Address& peer) const {
    if (peer.is_unix())
        return std::nullopt;
    const IpBytes ip = ip_of(peer);
    if (any_contains(rules_.deny, ip) || (!rules_.allow.empty() && !any_contains(rules_.allow, ip)))
        return Refusal::not_allowed;
    const auto found = present_.find(host_of(ip));
    if (found != present_.end() && found->second >= rules_.max_per_address)
        return Refusal::address_full;
    return std::nullopt;
}

void Admission::entered(const Address& peer) {
    if (rules_.max_per_address != 0 && !peer.is_unix())
        ++present_[host_of(ip_of(peer))];
}

void Admission::left(const Address& peer) {
    if (rules_.max_per_address == 0 || peer.is_unix())
        return;
    const auto found = present_.find(host_of(ip_of(peer)));
    invariant(found != present_.end(), "a user left from an address that no user had come from");
    if (--found->second == 0)
        present_.erase(found);
}

} // namespace chatserv
