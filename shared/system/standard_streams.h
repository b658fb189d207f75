// Descriptors 0, 1 and 2. They are opened before anything else; otherwise a client could get one of
// these numbers, and log lines would be sent to it.
#pragma once

#include "shared/system/fd.h"

namespace chatserv {

// Opens /dev/null, or, in a container or chroot(2) without it, one end of a pipe whose other end is
// closed. Throws std::system_error if neither can be opened.
[[nodiscard]] UniqueFd open_nothing_to_read();
[[nodiscard]] UniqueFd open_nothing_to_write();

// Opens /dev/null, as above, in place of each of the three descriptors that is closed. In place of
// standard output it is opened for reading only: a write fails with EBADF, as on a closed
// descriptor, and does not seem to succeed. To be called first in main(). Throws std::system_error.
void occupy_standard_streams();

} // namespace chatserv
