// Whom the workers become: --user, looked up in the user database once, at the start.
#pragma once

#include "master/config/options.h"

namespace chatserv {

// Fills in whose rights the workers of a server with these options have. For root that is the user
// named, or `nobody` where none is and there is such a user; for anybody else it can only be
// itself. Throws Failure: EX_USAGE where there is no such user, EX_NOPERM where only root could
// become it.
void choose_worker_user(Options& options);

} // namespace chatserv
