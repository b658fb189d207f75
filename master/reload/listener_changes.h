// Which listen sockets a reload opens, keeps and closes.
#pragma once

#include "master/clients/listener.h"
#include "master/config/listen_address.h"
#include "master/ledger/ledger.h"
#include "master/upgrade/legacy.h"

#include <cstdint>
#include <vector>

namespace chatserv {

struct ListenerChanges {
    std::vector<Listener> opened{};       // open, numbered, and not noted in the ledger
    std::vector<uint32_t> unwanted{};     // numbers of sockets to be closed
    std::vector<ListenerNote> in_force{}; // all of them, after the change
};

// `present`: the listen sockets in force; `wanted`: values that resolve_listen() has completed. A
// value that was in force keeps its sockets, so port 0 stays the same port and a name is not looked
// up again; so does an address that another value stood for. A socket that was handed over stays in
// any case. Throws Failure if an address is not available, or if there are too many; nothing has
// changed then.
[[nodiscard]] ListenerChanges plan_listeners(const std::vector<Listener>& present,
    const std::vector<ListenAddress>& wanted, const Ledger& ledger);

} // namespace chatserv
