// Why a worker could not begin its work, in words, and the status that the server ends with where
// no worker can: what the message CannotWork (protocol.h) says.
#pragma once

#include "shared/ipc/protocol.h"

#include <string>

namespace chatserv {

// What failed and why, on one line.
[[nodiscard]] std::string words_of(const CannotWork& cannot_work);

// As in sysexits(3).
[[nodiscard]] int exit_status_of(const CannotWork& cannot_work);

// Whether it is the system's want of processes, memory or descriptors, which can end by itself.
[[nodiscard]] bool is_shortage(int error);

// What to do about that shortage.
[[nodiscard]] const char* remedy_of(int error);

} // namespace chatserv
