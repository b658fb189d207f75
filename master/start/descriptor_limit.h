// Descriptors: whether there can be enough of them, and whether there are.
#pragma once

#include "master/config/options.h"

namespace chatserv {

// Raises RLIMIT_NOFILE to what the options need, the hard limit too where that is permitted. The
// workers inherit it. Throws Failure(EX_OSERR) where the system does not give as many.
void ensure_descriptor_limit(const Options& options);

// Of this process's descriptors, so many are not for clients: the next worker takes some, a timer
// one, and so does whoever is turned away or comes to the control socket.
inline constexpr int descriptors_reserved = 16;

// Whether more are left than these. There can be too few although the limit sufficed at the start:
// it was lowered since, or this process has inherited many. `any_fd` is an open one, of whatever
// kind.
[[nodiscard]] bool has_descriptors_for_clients(int any_fd);

} // namespace chatserv
