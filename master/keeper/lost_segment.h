// The end of a server whose segment is gone.
#pragma once

#include "master/ledger/layout.h"

#include <span>

namespace chatserv {

// In a master: if a page of `segment` turns out to be missing, says so and makes this death the
// server's end, with the exit status of a death by SIGBUS. What clients have not received yet was
// in that memory, so every master after this one would die in the same way. memory_fault.h says
// what can take pages away. sigaction(2); throws std::system_error.
void end_server_if_lost(std::span<const char> segment, KeeperWords& words);

} // namespace chatserv
