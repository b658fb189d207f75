// Two processes with one descriptor table.
//
// A descriptor that one of them opens is open in the other in the same instant, and the kernel
// closes none while either lives. So a process that is killed leaves what it had open, accepted a
// moment ago or not yet noted anywhere, to the process that shares its table. Their memory is
// separate, as after fork(2).
//
// Two rules follow, and no call here can see to them. No destructor that closes a descriptor may
// run in one process while the other uses that descriptor: a process that shares its table ends by
// _exit(2) or abort(3), never by exit(3) or by unwinding. And fork(2) copies the table as it always
// does: a child made so shares nothing.
//
// One implementation per system: shared_table_linux.cpp (clone(2)), shared_table_freebsd.cpp
// (rfork(2)), and shared_table_none.cpp for the systems that have no such call.
#pragma once

#include <sys/types.h>

namespace chatserv {

// Whether the system can do it. Where it cannot, start_sharing_descriptors() fails with ENOSYS.
[[nodiscard]] bool can_share_descriptors();

// As fork(2), except that the child uses the descriptor table of this process. Returns 0 in the
// child and the child's pid in the parent, or -1 with errno set. The parent must have one thread,
// and gets SIGCHLD when the child ends.
//
// The child has no kqueue, as after a fork(2): it forgets those of its parent and closes none of
// their descriptors. No handler of pthread_atfork(3) runs.
[[nodiscard]] pid_t start_sharing_descriptors();

// Makes the kernel's table large enough for numbers below `limit`. A table that is shared grows
// slowly: the kernel waits until no process can be reading the old one. So it is grown before. A
// system that refuses (EMFILE, ENOMEM) grows the table later, when it must.
void grow_descriptor_table(int limit);

// Descendants of this process that lose their parent become its children, so that it can reap them:
// prctl(2) PR_SET_CHILD_SUBREAPER, procctl(2) PROC_REAP_ACQUIRE. Returns false if the system has no
// such thing or refuses; then they go to process 1.
bool become_subreaper();

} // namespace chatserv
