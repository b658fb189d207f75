// Shared by the small servers that chatserv is compared with: how they start.
#pragma once

#include "shared/system/fd.h"

namespace chatserv::bench {

// Prints `what` and errno's text, and ends the process.
[[noreturn]] void fail(const char* what);

// Raises the limit of descriptors as far as the system permits.
void allow_many_descriptors();

// Listens on a free port of 127.0.0.1 and prints `listening on PORT`; calls fail() on an error.
// Accepted connections send each write at once (TCP_NODELAY).
[[nodiscard]] UniqueFd listen_on_loopback();

} // namespace chatserv::bench
