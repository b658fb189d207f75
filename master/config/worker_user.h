// The user that the workers run as: --user, looked up in the user database once, at the start.
#pragma once

#include "master/config/options.h"

namespace chatserv {

// Fills in the user and group that the workers run as. If root started the server, that is the user
// named by --user; without --user it is `nobody`, if the system has that user. Any other user can
// only name itself. Throws Failure: EX_USAGE if there is no such user, EX_NOPERM if only root could
// become that user.
void choose_worker_user(Options& options);

} // namespace chatserv
