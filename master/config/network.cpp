#include "master/config/network.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <string_view>

namespace chatserv {

namespace {

constexpr IpBytes mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;
constexpr unsigned all_bits = 128;

IpBytes mapped(const void* ipv4_bytes) {
    IpBytes ip = mapped_prefix;
    std::memcpy(ip.data() + mapped_bits / 8, ipv4_bytes, 4);
    return ip;
}

} // namespace

IpBytes ip_of(const Address& address) {
    if (address.family() != AF_INET6)
        return mapped(address.ip_bytes());
    IpBytes ip;
    std::memcpy(ip.data(), address.ip_bytes(), ip.size());
    return ip;
}

bool is_ipv4(const IpBytes& ip) {
    return std::equal(ip.begin(), ip.begin() + mapped_bits / 8, mapped_prefix.begin());
}

IpBytes first_bits(IpBytes ip, unsigned bits) {
    for (unsigned byte = 0; byte < ip.size(); ++byte) {
        const unsigned kept = std::clamp(bits, 8 * byte, 8 * byte + 8) - 8 * byte;
        ip[byte] = static_cast<uint8_t>(ip[byte] & (0xff00U >> kept));
    }
    return ip;
}

std::optional<Network> Network::parse(const std::string& text) {
    const size_t slash = text.find('/');
    const std::string host = text.substr(0, slash);
    Network network;
    network.bits_ = all_bits;
    unsigned bits_before = 0; // bits of the mapped prefix, which the user does not count
    in_addr ipv4{};
    if (::inet_pton(AF_INET, host.c_str(), &ipv4) == 1) {
        network.first_ = mapped(&ipv4);
        bits_before = mapped_bits;
    } else if (::inet_pton(AF_INET6, host.c_str(), network.first_.data()) != 1) {
        return std::nullopt;
    }
    if (slash != std::string::npos) {
        const std::string_view digits = std::string_view(text).substr(slash + 1);
        const char* const end = digits.data() + digits.size();
        const auto [parsed_to, error] = std::from_chars(digits.data(), end, network.bits_);
        if (error != std::errc() || parsed_to != end || network.bits_ > all_bits - bits_before)
            return std::nullopt;
        network.bits_ += bits_before;
    }
    if (first_bits(network.first_, network.bits_) != network.first_)
        return std::nullopt;
    return network;
}

bool Network::contains(const IpBytes& ip) const {
    return is_ipv4(ip) == is_ipv4(first_) && first_bits(ip, bits_) == first_;
}

std::string Network::text() const {
    char host[INET6_ADDRSTRLEN] = "?";
    if (is_ipv4(first_)) {
        ::inet_ntop(AF_INET, first_.data() + mapped_bits / 8, host, sizeof host);
        return std::string(host) + "/" + std::to_string(bits_ - mapped_bits);
    }
    ::inet_ntop(AF_INET6, first_.data(), host, sizeof host);
    return std::string(host) + "/" + std::to_string(bits_);
}

} // namespace chatserv
