// IP networks in CIDR notation (RFC 4632), and the one form in which addresses are compared.
#pragma once

#include "master/config/address.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

// An IPv6 address as it is, an IPv4 address mapped to IPv6 (RFC 4291, 2.5.5.2): a peer is the same
// one whichever way its address came.
using IpBytes = std::array<uint8_t, 16>;

[[nodiscard]] IpBytes ip_of(const Address& address);
[[nodiscard]] bool is_ipv4(const IpBytes& ip);

// The address with all but its first `bits` bits set to 0.
[[nodiscard]] IpBytes first_bits(IpBytes ip, unsigned bits);

class Network {
public:
    // "10.0.0.0/8", "2001:db8::/32", or an address alone, which is a network of its own. Nothing
    // where `text` is none of these, or the address has bits set beyond the prefix: who writes
    // 10.1.2.3/8 has one of two things in mind, and nobody can tell which.
    [[nodiscard]] static std::optional<Network> parse(const std::string& text);

    // An IPv4 address is in IPv4 networks only, also where `::/0` is meant to be everybody.
    [[nodiscard]] bool contains(const IpBytes& ip) const;

    // The form that parse() takes, with the prefix.
    [[nodiscard]] std::string text() const;

private:
    IpBytes first_{}; // the lowest address in it
    unsigned bits_ = 0;
};

} // namespace chatserv
