// The server from its options to its exit status: what has to be got before it can serve, then the
// keeper and the master.
#pragma once

#include "master/config/options.h"

#include <string>
#include <vector>

namespace chatserv {

// Serves until the server is told to stop, and returns its exit status. `command_line`: the words
// by which it was started, the program's name first; a reload reads them again. Throws Failure or
// std::system_error where the server cannot begin.
//
// Where the system has keepers, this returns in the keeper alone: the process that called it, or if
// that one was killed, the one that is the keeper at the end.
[[nodiscard]] int serve(Options options, const std::vector<std::string>& command_line);

// In the keeper of a server that another program has served until now, and which has become this
// program (become_program.h). `ledger`: the number of the ledger's descriptor. Returns as serve()
// does. Where this program cannot go on, the process becomes the former one again.
[[nodiscard]] int take_over(int ledger, const std::string& argv0);

} // namespace chatserv
