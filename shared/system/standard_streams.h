// Descriptors 0, 1 and 2: they are open before anything else is opened, or a log line could go to
// whatever has that number: a client, for example.
#pragma once

#include "shared/system/fd.h"

namespace chatserv {

// Reads as empty, takes nothing: /dev/null, or in a container or chroot(2) that has none, the end
// of a pipe whose other end is closed. Throws std::system_error where neither can be had.
[[nodiscard]] UniqueFd open_nothing_to_read();
[[nodiscard]] UniqueFd open_nothing_to_write();

// Opens such a thing in the place of each of the three that is closed. The one in the place of
// standard output can only be read: a write fails with EBADF, as it would have without, and does
// not pass for done. To be called first in main(). Throws std::system_error.
void occupy_standard_streams();

} // namespace chatserv
