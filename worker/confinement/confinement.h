// What a worker gives up before the first byte of a client can reach it, so that whoever breaks
// into it by such bytes gets nothing more than its clients: no file, no other process, no
// connection of its own.
//
// confine() has one implementation per system: confinement_linux.cpp (seccomp), _freebsd.cpp
// (Capsicum), _openbsd.cpp (pledge), and confinement_none.cpp for the others. The order is that of
// the declarations here, with whatever needs more than a confined process may do between the last
// two (worker/start.h).
#pragma once

#include "shared/ipc/protocol.h"

#include <sys/types.h>
#include <vector>

namespace chatserv {

// Makes standard input and output /dev/null (where there is none, pipes that nobody is at the other
// end of), since a terminal would have somebody's keystrokes, and closes all other descriptors but
// standard error and these, in rising order: whoever started the master may have left it some.
// Throws std::system_error.
void leave_descriptors_but(const std::vector<int>& kept);

// Becomes this user for good, with no group but this one: setgroups(2), setgid(2), setuid(2).
// Nothing where the process is that user already. Throws std::system_error where the system
// refuses, std::runtime_error where the way back is still open.
void drop_privileges(uid_t uid, gid_t gid);

// Has the system refuse this process, for good, whatever a worker does not need. Says what is in
// force: it is no error where the system, or this build, has no such thing, or where it is refused
// by whatever confines the server as a whole. Throws std::system_error where it cannot be entered
// for another reason.
[[nodiscard]] Confinement confine();

// Refuses, of a log that comes after confine(), what confine() refuses of the one that was there.
// Cannot fail: a log that nothing more can be written to loses its lines.
void confine_log(int fd);

} // namespace chatserv
