// How the bridge begins: what it inherits, gives up and becomes before it connects to anything.
//
// The arguments, which the master alone writes (master/bridge/bridge_process.cpp):
//     LOG_LEVEL LOG_FORMAT UID GID LIFELINE SEGMENT BELL BELLS SETTINGS
// UID and GID are what the process is to become; the others are numbers of inherited descriptors:
//     LIFELINE  a socket; its end of file says that no process of the server is left
//     BELL      the reading end of the bridge's own doorbell
//     BELLS     the writing ends of the workers' doorbells, by entry, joined by commas
//     SETTINGS  a pipe that holds one JSON object and then ends:
//         {"servers": ["nats://..."], "room": "NAME", "replicas": 1, "storage": "file" or "memory",
//          "bytes": N, "credentials": "PATH", "ca": "PATH", "certificate": "PATH", "key": "PATH",
//          "hang_limit_ms": N, "max_bytes_under_way": N}
//     Paths may be empty; the last member may be missing.
//
// Before it relies on the program, the master asks it for its build instead (shared/ipc/
// program_build.h).
//
// Files of secrets are read before the process gives up the server's rights, and not again.
#pragma once

#include "bridge/settings.h"

namespace chatserv {

// The bridge's whole life. Returns the exit status: EX_OK after the server has ended, or after the
// answer about the build (EX_IOERR if that cannot be written);
// exit_unusable, with a line in the log that says what to do; exit_room_over; EX_USAGE, with a line
// on standard error, if the arguments are not the master's; EX_NOPERM, EX_OSERR or EX_SOFTWARE
// (sysexits.h), with a line in the log, if a step of the start failed: it may be tried again.
[[nodiscard]] int start_bridge(int argc, char** argv);

} // namespace chatserv
