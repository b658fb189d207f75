// Makes sure that the limit of descriptors is high enough, and checks how many are left.
#pragma once

#include "master/config/options.h"

#include <cstddef>
#include <cstdint>

namespace chatserv {

// Raises RLIMIT_NOFILE to what the options need, the hard limit too if that is permitted. Lowers a
// soft limit that is far above: some systems allow a thousand million descriptors, and a master
// that takes over from another looks at each number. The workers inherit the limit. Returns how
// many descriptors that is. Throws Failure(EX_OSERR) if the system does not allow it.
//
// `handed`: how many listen sockets the service manager has handed over.
int ensure_descriptor_limit(const Options& options, size_t handed = 0);

// Descriptors of this process that are kept back from clients. The next worker takes some of them.
// A timer, a connection that is turned away, and a control client take one each.
inline constexpr int descriptors_reserved = 16;
// How many connections can be on their last line at once (master/clients/lingering_close.h).
inline constexpr size_t lingering_max = 64;

// How many connections can wait for their proxies (master/clients/proxied_newcomers.h).
inline constexpr uint32_t proxied_waiting_max = 1024;

// Whether more descriptors are left than the reserve. There can be too few although the limit
// sufficed at the start: the limit was lowered later, or this process inherited many descriptors.
// `any_fd` is any open descriptor.
[[nodiscard]] bool has_descriptors_for_clients(int any_fd);

} // namespace chatserv
