// Whether the bridge's program is of this program's build. It is installed separately, as a package
// of its own, so it may be of another version. Then it could not read this server's segment, and
// the room would stand still.
#pragma once

#include "master/start/program_file.h"

#include <chrono>

namespace chatserv {

// Starts the program, asks it for its build (shared/ipc/program_build.h), and waits for its end.
// Throws Failure(EX_UNAVAILABLE), with a line that says what to install, if it is of another build
// or does not say so within `patience`; it is killed then. Throws std::system_error where the
// system refuses a process.
void check_bridge_build(
    const ProgramFile& program, std::chrono::milliseconds patience = std::chrono::seconds(5));

} // namespace chatserv
