// IP networks in CIDR notation (RFC 4632), and the form in which addresses are compared.
#pragma once

#include "master/config/address.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

// An IPv6 address, or an IPv4 address mapped to IPv6 (RFC 4291, 2.5.5.2). So the same peer compares
// equal in whichever family its address was reported.
using IpBytes = std::array<uint8_t, 16>;

[[nodiscard]] IpBytes ip_of(const Address& address);
[[nodiscard]] bool is_ipv4(const IpBytes& ip);

// The address with all but its first `bits` bits set to 0.
[[nodiscard]] IpBytes first_bits(IpBytes ip, unsigned bits);

class Network {
public:
    // Parses "10.0.0.0/8", "2001:db8::/32", or an address alone, which is a network of one address.
    // Nothing if `text` is none of these, or if the address has bits set beyond the prefix:
    // 10.1.2.3/8 may mean a network or one address, and the user must say which.
    [[nodiscard]] static std::optional<Network> parse(const std::string& text);

    // An IPv4 address is contained only in IPv4 networks, not in `::/0` either.
    [[nodiscard]] bool contains(const IpBytes& ip) const;

    // The form that parse() takes, with the prefix.
    [[nodiscard]] std::string text() const;

private:
    IpBytes first_{}; // the lowest address in the network
    unsigned bits_ = 0;
};

} // namespace chatserv
