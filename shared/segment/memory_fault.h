// The last words of a process that touched shared memory which is not there: SIGBUS.
//
// The segment is backed before anybody uses it, so this is the end of a process whose memory was
// cut off or has a hole, by another process or by a faulty machine.
#pragma once

#include <span>

namespace chatserv {

// From now on one line on standard error tells of a SIGBUS, and whether `segment` was touched,
// before the process ends by it. sigaction(2); throws std::system_error. Of several calls the last
// one counts.
void explain_memory_faults(std::span<const char> segment);

} // namespace chatserv
