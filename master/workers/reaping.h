// Reaping: the exits of processes, as waitid(2) and waitpid(2) tell them.
//
// As process 1 of a container, or as a subreaper, the master is given the children that other
// processes leave behind; a shell that became the master by exec leaves it its own. Each has to be
// reaped, or it stays in the process table for as long as the master lives.
//
// A worker that a predecessor of this master started is no child of it: no call here tells of it.
// Its exit comes as NOTE_EXIT alone, without a status.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv {

// A child that has exited, and is not reaped yet: its pid is still its own. Nothing where there is
// none.
[[nodiscard]] std::optional<pid_t> next_exited();
// Whether this child has exited. True as well where it is no child of this process, or not any
// more.
[[nodiscard]] bool has_exited(pid_t pid);
// Reaps a child that has exited. Returns its status, of waitpid(2); nothing where it is no child.
[[nodiscard]] std::optional<int> reap(pid_t pid);

// "killed by signal 9 (Killed)", "exit status 71".
[[nodiscard]] std::string text_of_wait_status(std::optional<int> wait_status);

} // namespace chatserv
