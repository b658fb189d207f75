// What a process that reads strangers' bytes gives up before the first of them can reach it. An
// intruder who breaks into a worker by such bytes gets nothing but the worker's clients: no file,
// no other process, no connection of their own. The metrics process has less than that, and so has
// the process of a source. The bridge, whose library makes connections and threads, keeps more.
//
// confine() has one implementation per system: confinement_linux.cpp (seccomp), _freebsd.cpp
// (Capsicum), _openbsd.cpp (pledge), and confinement_none.cpp for the others. The functions are
// called in the order in which they are declared here. Work that a confined process cannot do comes
// between the second and the third (worker/start.cpp, master/metrics/server/start.cpp).
#pragma once

#include "shared/ipc/protocol.h"

#include <sys/types.h>
#include <vector>

namespace chatserv {

// Makes standard input and output /dev/null (without one, pipes whose other end is closed), since a
// terminal would give an intruder somebody's keystrokes. Then closes all descriptors but standard
// error and `kept`, which is in rising order: the process that started the master may have left it
// others. Throws std::system_error.
void leave_descriptors_but(const std::vector<int>& kept);

// Becomes this user for good, with no group but this one: setgroups(2), setgid(2), setuid(2). Does
// nothing if the process is that user already. Throws std::system_error if the system refuses, and
// std::runtime_error if the process could still become root again.
void drop_privileges(uid_t uid, gid_t gid);

// What a confined process does.
enum class Duty {
    relay,   // serves connections that come over the master's channel
    metrics, // accepts connections, reads requests and writes answers
    source,  // carries bytes between descriptors that it has
    bridge,  // connects to other machines, by a library that makes threads
};

// From now on the system refuses this process everything that its duty does not need. Returns what
// is in force. It is no error if the system or this build has no confinement, or if a container
// that confines the whole server refuses it. Throws std::system_error if it fails for another
// reason.
// The threads that this one makes from now on are confined as it is, those that it has made are
// not.
[[nodiscard]] Confinement confine(Duty duty);

// Confines a log file that is opened after confine() in the same way as the first one. Never fails:
// if a log can no longer be written to, its lines are lost.
void confine_log(int fd);

} // namespace chatserv
