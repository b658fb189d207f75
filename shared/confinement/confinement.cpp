// What a process gives up on every system.
#include "shared/confinement/confinement.h"

#include "config.h"
#include "shared/system/errors.h"
#include "shared/system/fd.h"
#include "shared/system/standard_streams.h"

#include <fcntl.h>
#include <grp.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace chatserv {

void leave_descriptors_but(const std::vector<int>& kept) {
    int next = STDERR_FILENO + 1;
    for (const int fd : kept) {
        for (; next < fd; ++next)
            ::close(next);
        next = fd + 1;
    }
#ifdef HAVE_CLOSEFROM
    ::closefrom(next);
#endif
    const UniqueFd empty = open_nothing_to_read();
    const UniqueFd nowhere = open_nothing_to_write();
    if (::dup2(empty.get(), STDIN_FILENO) == -1 || ::dup2(nowhere.get(), STDOUT_FILENO) == -1)
        throw_errno("standard input and output");
}

void drop_privileges(uid_t uid, gid_t gid) {
    if (::geteuid() == uid)
        return;
    // The groups come first, since only root can give them up. One group rather than none, because
    // on some systems the first one is the effective group.
    if (::setgroups(1, &gid) == -1 || ::setgid(gid) == -1 || ::setuid(uid) == -1)
        throw_errno(("becoming user " + std::to_string(uid) + " of group " + std::to_string(gid) +
                     " (--user names another, --user root keeps root)")
                        .c_str());
    if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::getuid() != uid || ::geteuid() != uid ||
        ::getgid() != gid || ::getegid() != gid)
        throw std::runtime_error(
            "this process could become root again after it had become user " + std::to_string(uid));
}

} // namespace chatserv
