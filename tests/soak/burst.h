// Bursts of connections that are reset again, without a byte.
#pragma once

#include "tests/harness/endpoint.h"

#include <cstddef>
#include <cstdint>

namespace chatserv::test {

enum class BurstKind {
    one_by_one, // each connection is reset before the next one
    together    // all connect, then all are reset
};

// Opens connections and resets them. Linux also accepts connections that were reset before
// accept(2); other systems do not, and have no second loopback address either.
//
// The connections come from an address that no other client uses; on a system without one, the
// burst is empty. At most as many as fit into a listen queue; waits only for connect(2). Returns
// the number of connections made.
[[nodiscard]] std::uint64_t burst(const Endpoint& server, std::size_t connections, BurstKind kind);

} // namespace chatserv::test
