// The dispositions of signals. Both programs set them first: before they write or open anything, or
// can be told to stop.
//
// Most signals would end a process that does not expect them, without a message, and leave its
// control socket behind. chatserv ignores those signals. It leaves these as they are:
//
//     SIGKILL, SIGSTOP        no process can change them
//     SIGSEGV and the like    faults of the program, which end it
//     SIGINT, SIGQUIT,        each program decides: they stop the server in order, a worker ignores
//     SIGTERM                 them, and they end the other commands
//     SIGTSTP, SIGCONT        job control at a terminal works as usual
//     SIGURG, SIGWINCH        the system ignores them by default
//
// SIGTTOU is ignored. A server in the background of a terminal with `stty tostop` is therefore not
// stopped by a line of its own log; the line is written.
#pragma once

#include <string>

namespace chatserv {

// Ignores most signals, as described above, and unblocks all: a program inherits the mask of its
// parent. Sets SIGCHLD to the default action: if a parent has left it ignored, the exit status of
// children would be lost. sigaction(2), sigprocmask(2). Cannot fail.
void settle_signals();

// Ignores SIGINT, SIGQUIT and SIGTERM: only the master acts on them, also if a terminal or a
// service manager sends them to every process.
void leave_stopping_to_the_master();

// Whether the process ignores this signal now.
[[nodiscard]] bool is_ignored(int signal);

// "SIGTERM", or "signal 40" for a signal without a name.
[[nodiscard]] std::string name_of_signal(int signal);

} // namespace chatserv
