#include "master/config/resolver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <memory>
#include <netdb.h>
#include <sysexits.h>

namespace chatserv {

namespace {

// Several records, or several lines of hosts(5), may give the same address.
void add_once(std::vector<Address>& addresses, const Address& address) {
    const auto same = [&](const Address& other) { return other.text() == address.text(); };
    if (std::none_of(addresses.begin(), addresses.end(), same))
        addresses.push_back(address);
}

} // namespace

Resolved look_up(const std::string& name) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
    if (error != 0)
        return {{}, error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error)};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
    Resolved resolved;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next)
        if (const auto address = Address::from(each->ai_addr))
            add_once(resolved.addresses, address->with_port(0).unmapped());
    if (resolved.addresses.empty())
        resolved.error = "the name has no IP address";
    return resolved;
}

Resolved look_up_in_time(const std::function<Resolved(const std::string&)>& lookup,
    const std::string& name, const std::string& asked_by, Patience patience) {
    const StartStep step(fmt::format("looking up the name {} ({})", name, asked_by),
        "check that the name service responds, or give the address", EX_UNAVAILABLE, patience);
    return lookup(name);
}

} // namespace chatserv
