// Bursts of connections that are reset again, without a byte.
#pragma once

#include "tests/harness/endpoint.h"

#include <cstddef>
#include <cstdint>

namespace chatserv::test {

enum class BurstKind {
    one_by_one, // each is reset before the next comes
    together    // all come, then all are reset
};

// Linux hands out those as well that were reset before they were accepted. Other systems do not,
// and have no such address.
//
// Comes from another address than clients do, where the system has one (if not, there are no
// bursts). So many at the most as fit into a listen queue; waits for nothing but connect(2).
// Returns how many connections were made.
[[nodiscard]] std::uint64_t burst(const Endpoint& server, std::size_t connections, BurstKind kind);

} // namespace chatserv::test
