// Shared by the tests of listen sockets: addresses as the option --listen takes them.
#pragma once

#include "master/clients/listeners.h"

#include <string>
#include <system_error>
#include <vector>

namespace chatserv {

// Throws Failure as the functions that it calls do.
inline std::vector<ListenAddress> resolved(const std::vector<std::string>& texts) {
    std::vector<ListenAddress> listen;
    for (const std::string& text : texts) {
        Setting setting;
        setting.place.text = "--listen";
        setting.text = text;
        listen.push_back(ListenAddress::parse(setting));
    }
    resolve_listen(listen);
    return listen;
}

inline bool has_ipv6() {
    try {
        const Listener probe(Address::loopback(AF_INET6, 0));
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

} // namespace chatserv
