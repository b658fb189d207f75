// rfork(2) with RFPROC.
#include "shared/system/shared_table.h"

#include <sys/procctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {

bool can_share_descriptors() {
    return true;
}

// Neither RFFDG (a copy of the table) nor RFCFDG (an empty one): the table is shared.
pid_t start_sharing_descriptors() {
    return ::rfork(RFPROC);
}

bool become_subreaper() {
    return ::procctl(P_PID, ::getpid(), PROC_REAP_ACQUIRE, nullptr) == 0;
}

} // namespace chatserv
