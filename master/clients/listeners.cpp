#include "master/clients/listeners.h"

#include "master/clients/client_events.h"
#include "master/clients/handed_listeners.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <iterator>
#include <sysexits.h>
#include <system_error>

namespace chatserv {

namespace {

// How many free ports of one address are tried at the others.
constexpr int free_ports_tried = 32;

Failure cannot_listen(const ListenAddress& listen, const Address& address, int error) {
    const std::string written =
        listen.address_text() == address.text() ? "" : fmt::format(" ({})", listen.text());
    const std::string what =
        fmt::format("cannot listen on {}{}: {}", address.text(), written, std::strerror(error));
    const bool link_local =
        address.family() == AF_INET6 && address.ip_bytes()[0] == 0xfe && error == EINVAL;
    switch (error) {
    case EADDRINUSE:
        return {
            EX_UNAVAILABLE, what + "; stop what listens there, or choose another " + listen.flag};
    case EACCES:
    case EPERM:
        return {EX_NOPERM, what + "; choose a port from 1024 on, or start as root"};
    default:
        if (link_local)
            return {EX_UNAVAILABLE,
                what + "; name the network interface as well, for example [fe80::1%eth0]:9999"};
        return {EX_UNAVAILABLE, what + "; choose an address of this machine with " + listen.flag};
    }
}

Failure cannot_listen_at_path(const ListenAddress& listen, int error) {
    const std::string what = fmt::format("cannot listen on {}: ", listen.address_text());
    switch (error) {
    case EADDRINUSE:
        return {EX_UNAVAILABLE,
            what + "another server listens there; stop it, or choose another --listen"};
    case EISDIR:
    case ENOTSOCK:
        return {
            EX_UNAVAILABLE, what + "another file is there; remove it, or choose another --listen"};
    case EACCES:
    case EPERM:
        return {EX_NOPERM, what + std::strerror(error) +
                               "; choose a folder that this user can write to, and a --unix-group "
                               "that this user is in"};
    default:
        return {
            EX_UNAVAILABLE, what + std::strerror(error) + "; choose another path with --listen"};
    }
}

// Whether this machine has no address of the family at all, not even a loopback address.
bool is_missing(int family) {
    try {
        const Listener probe(Address::loopback(family, 0));
        return false;
    } catch (const std::system_error& failure) {
        const int error = failure.code().value();
        return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EPROTONOSUPPORT;
    }
}

const char* name_of(int family) {
    return family == AF_INET6 ? "IPv6" : "IPv4";
}

// The addresses whose family this machine has. An address that the user wrote is kept: if it is not
// available, that is an error.
std::vector<Address> usable_addresses(const ListenAddress& listen) {
    if (listen.host == ListenAddress::Host::numeric || listen.host == ListenAddress::Host::local)
        return listen.addresses;
    std::vector<Address> usable;
    for (const Address& address : listen.addresses)
        if (!is_missing(address.family()))
            usable.push_back(address);
    if (usable.empty())
        return listen.addresses;
    for (const Address& address : listen.addresses)
        if (is_missing(address.family()))
            events::no_address(address, name_of(address.family()));
    return usable;
}

// The socket that listens there already, or a new one.
Listener listener_at(std::vector<Listener>& ready, const Address& address, Families families) {
    if (auto taken = take_ready(ready, address, families))
        return std::move(*taken);
    return Listener(address, families);
}

std::vector<Listener> listen_at_port(const ListenAddress& listen,
    const std::vector<Address>& addresses, uint16_t port, std::vector<Listener>& ready) {
    std::vector<Listener> listeners;
    for (const Address& address : addresses) {
        try {
            listeners.push_back(listener_at(ready, address.with_port(port), Families::own));
        } catch (const std::system_error& failure) {
            throw cannot_listen(listen, address.with_port(port), failure.code().value());
        }
    }
    return listeners;
}

// The first address takes a free port, and the others the same one. A port that is not free at
// every address is held until the end, so that the system chooses another.
std::vector<Listener> listen_at_a_free_port(
    const ListenAddress& listen, const std::vector<Address>& addresses) {
    const std::vector<Address> others(addresses.begin() + 1, addresses.end());
    std::vector<Listener> held;
    std::vector<Listener> none_ready; // a socket that listens has a port
    for (int attempt = 0; attempt < free_ports_tried; ++attempt) {
        std::vector<Listener> listeners =
            listen_at_port(listen, {addresses.front()}, 0, none_ready);
        const uint16_t port = listeners.front().address().port();
        try {
            for (const Address& other : others)
                listeners.emplace_back(other.with_port(port));
            return listeners;
        } catch (const std::system_error& failure) {
            if (failure.code().value() != EADDRINUSE)
                throw cannot_listen(listen, others.front(), failure.code().value());
        }
        held.push_back(std::move(listeners.front()));
    }
    events::ports_differ(listen.text());
    return listen_at_port(listen, addresses, 0, none_ready);
}

std::vector<Listener> listen_at_path(const ListenAddress& listen, std::vector<Listener>& ready) {
    std::vector<Listener> listeners;
    try {
        const Address& address = listen.addresses.front();
        if (auto taken = take_ready(ready, address, Families::own))
            listeners.push_back(std::move(*taken));
        else
            listeners.emplace_back(address, listen.access);
    } catch (const std::system_error& failure) {
        throw cannot_listen_at_path(listen, failure.code().value());
    }
    return listeners;
}

std::vector<Listener> listen_at_all(const ListenAddress& listen,
    const std::vector<Address>& addresses, std::vector<Listener>& ready) {
    if (listen.host == ListenAddress::Host::local)
        return listen_at_path(listen, ready);
    return listen.port == 0 ? listen_at_a_free_port(listen, addresses)
                            : listen_at_port(listen, addresses, listen.port, ready);
}

// At [::], with IPv4.
std::vector<Listener> listen_at_both_families(
    const ListenAddress& listen, std::vector<Listener>& ready) {
    const Address ipv4 = Address::any(AF_INET, listen.port);
    const Address ipv6 = Address::any(AF_INET6, listen.port);
    std::vector<Listener> listeners;
    try {
        listeners.push_back(listener_at(ready, ipv6, Families::ipv4_too));
        return listeners;
    } catch (const NoDualStack&) {
        events::two_sockets(listen.text());
        return listen_at_all(listen, {ipv6, ipv4}, ready);
    } catch (const std::system_error& failure) {
        if (!is_missing(AF_INET6) || is_missing(AF_INET))
            throw cannot_listen(listen, ipv6, failure.code().value());
        events::no_address(ipv6, name_of(AF_INET6));
        return listen_at_all(listen, {ipv4}, ready);
    }
}

} // namespace

std::vector<Listener> make_listeners(
    const std::vector<ListenAddress>& listen, std::vector<Listener> ready) {
    std::vector<Listener> all;
    for (const ListenAddress& each : listen) {
        std::vector<Listener> listeners = each.takes_ipv4_too
                                              ? listen_at_both_families(each, ready)
                                              : listen_at_all(each, usable_addresses(each), ready);
        for (Listener& listener : listeners)
            listener.note_serves(each.text(), each.role, each.proxied);
        std::move(listeners.begin(), listeners.end(), std::back_inserter(all));
    }
    std::move(ready.begin(), ready.end(), std::back_inserter(all));
    return all;
}

} // namespace chatserv
