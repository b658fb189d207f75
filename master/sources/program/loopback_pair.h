// Two ends of a TCP connection within this machine.
//
// A source that is no TCP connection itself reaches the relay through one: the kernel counts the
// bytes of TCP (shared/system/kernel_account.h), so no death of a worker costs this client a byte,
// on any system that keeps the account.
#pragma once

#include "shared/system/fd.h"

namespace chatserv {

// Both ends are non-blocking and close-on-exec. No other process can come between: the ends are
// compared. Throws std::system_error where this machine has no loopback.
[[nodiscard]] FdPair make_loopback_pair();

} // namespace chatserv
