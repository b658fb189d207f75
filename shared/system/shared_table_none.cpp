// Systems on which two processes cannot share a table.
//
// macOS and OpenBSD have no such call. NetBSD's __clone(2) has it, but its child begins a function
// on a new stack and cannot go on where its parent was, so a process that is the child of one call
// and the parent of the next would pile stack on stack. Nobody has tried it there.
#include "shared/system/shared_table.h"

#include <cerrno>

namespace chatserv {

bool can_share_descriptors() {
    return false;
}

pid_t start_sharing_descriptors() {
    errno = ENOSYS;
    return -1;
}

bool become_subreaper() {
    return false;
}

} // namespace chatserv
