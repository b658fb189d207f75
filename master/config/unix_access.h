// Who may connect to the UNIX sockets that users come to: --unix-mode and --unix-group.
#pragma once

#include "master/config/options.h"

namespace chatserv {

// Looks the group up, once, at the start. Throws Failure: EX_USAGE, or EX_CONFIG for a file, if
// there is no such group.
void choose_unix_group(Options& options);

// Tells each UNIX socket among the addresses of --listen.
void set_unix_access(Options& options);

} // namespace chatserv
