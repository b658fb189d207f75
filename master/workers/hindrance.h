// The message CannotWork (protocol.h) in words: why a worker could not begin its work, and the exit
// status of a server in which no worker can.
#pragma once

#include "shared/ipc/protocol.h"

#include <string>

namespace chatserv {

// What failed and why, on one line.
[[nodiscard]] std::string words_of(const CannotWork& cannot_work);

// As in sysexits(3).
[[nodiscard]] int exit_status_of(const CannotWork& cannot_work);

// Whether the system ran out of processes, memory or descriptors. Such a shortage can end by
// itself.
[[nodiscard]] bool is_shortage(int error);

// What to do about that shortage.
[[nodiscard]] const char* remedy_of(int error);

} // namespace chatserv
