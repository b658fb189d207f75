// Reaping: the exits of child processes, as waitpid(2) tells them.
//
// As process 1 of a container, or as a subreaper, the master is given the children that other
// processes leave behind; a shell that became the master by exec leaves it its own. Each has to be
// reaped, or it stays in the process table for as long as the master lives.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv {

struct Reaped {
    pid_t pid;
    int wait_status; // waitpid(2)
};

// The next child that has exited; nothing where none has.
[[nodiscard]] std::optional<Reaped> reap_next();
// This child, if it has exited.
[[nodiscard]] std::optional<Reaped> reap(pid_t pid);

// "killed by signal 9 (Killed)", "exit status 71".
[[nodiscard]] std::string text_of_wait_status(int wait_status);

} // namespace chatserv
