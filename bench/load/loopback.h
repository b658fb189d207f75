// What the small servers that chatserv is measured against begin with.
#pragma once

#include "shared/system/fd.h"

namespace chatserv::bench {

// Prints `what` and errno's text, and ends the process.
[[noreturn]] void fail(const char* what);

// As many as the system lets this process have.
void allow_many_descriptors();

// Listens on a free port of 127.0.0.1, prints `listening on PORT`, and fails where that cannot be.
// What it accepts sends each write at once (TCP_NODELAY).
[[nodiscard]] UniqueFd listen_on_loopback();

} // namespace chatserv::bench
