// The log line of a process that ends by SIGBUS because it touched shared memory that is gone.
//
// The segment is backed before any process uses it. A SIGBUS therefore means that another process
// has truncated the memory or punched a hole into it, or that the machine is faulty.
#pragma once

#include <span>

namespace chatserv {

// Installs a handler that writes one line to standard error when a SIGBUS ends the process. The
// line says whether the fault was in `segment`; if it was, the handler then calls `if_gone`, which
// may make async-signal-safe calls only (signal-safety(7)). A later call replaces both.
// sigaction(2); throws std::system_error.
void explain_memory_faults(std::span<const char> segment, void (*if_gone)() = nullptr);

} // namespace chatserv
