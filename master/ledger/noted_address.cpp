#include "master/ledger/noted_address.h"

#include <cstring>

namespace chatserv {

namespace {

constexpr size_t ipv4_bytes = 4;
constexpr size_t ipv6_bytes = 16;

} // namespace

NotedAddress noted(const Address& address) {
    NotedAddress noted{};
    if (address.is_unix()) {
        std::memcpy(noted.ip, &address.process(), sizeof(Address::Process));
        return noted;
    }
    const bool v6 = address.family() == AF_INET6;
    std::memcpy(noted.ip, address.ip_bytes(), v6 ? ipv6_bytes : ipv4_bytes);
    noted.scope = v6 ? address.scope() : 0;
    noted.port = address.port();
    noted.ip_version = v6 ? 6 : 4;
    return noted;
}

Address address_of(const NotedAddress& noted) {
    if (noted.ip_version == 0) {
        Address::Process process;
        std::memcpy(&process, noted.ip, sizeof process);
        return Address::of_process(process);
    }
    return noted.ip_version == 6 ? Address::ipv6(noted.ip, noted.scope, noted.port)
                                 : Address::ipv4(noted.ip, noted.port);
}

} // namespace chatserv
