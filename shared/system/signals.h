// The signals' dispositions, which both programs settle first of all: before they write anything,
// open anything, or can be told to stop.
//
// Most signals would end a process that does not expect them, without a word and with its control
// socket left behind. None of those ends chatserv: they are ignored, whoever sends them. What is
// left as it is:
//
//     SIGKILL, SIGSTOP        no process has a say in them
//     SIGSEGV and its like    faults of the program, which are to end it
//     SIGINT, SIGQUIT,        each program decides: they stop the server in order, a worker ignores
//     SIGTERM                 them, and they end the other commands
//     SIGTSTP, SIGCONT        whoever stops chatserv at a terminal means it
//     SIGURG, SIGWINCH        ignored by default
//
// SIGTTOU is among the ignored, so a server in the background of a terminal where `stty tostop` is
// set is not stopped by a line of its own log: the line is written.
#pragma once

#include <string>

namespace chatserv {

// Ignores the signals above, has SIGCHLD as the system's default is (a parent may have left it
// ignored, and then the ends of children could not be told), and blocks no signal: a program
// inherits the mask of whoever started it. sigaction(2), sigprocmask(2). Cannot fail.
void settle_signals();

// Ignores SIGINT, SIGQUIT and SIGTERM: what stops the server is told to the master alone, also
// where a terminal or a service manager tells every process.
void leave_stopping_to_the_master();

// Whether the process ignores this signal now.
[[nodiscard]] bool is_ignored(int signal);

// "SIGTERM"; "signal 40" for one without a name of its own.
[[nodiscard]] std::string name_of_signal(int signal);

} // namespace chatserv
