// The signals by which a user tells the server something, and those that a user may send by
// mistake. The process that the user started hears of them; no other process of the server acts on
// them.
#pragma once

#include <vector>

namespace chatserv {

// SIGTERM, SIGINT and SIGQUIT.
[[nodiscard]] bool is_stop(int signal);

// The signals to hear of: those that stop the server, SIGHUP, and those that would end a program
// that does not expect them.
//
// A signal that was ignored when the server was started stays ignored: the signals of the keyboard
// may be meant for other processes, as in a script that starts the server with `&`. SIGTERM is
// always meant for the server. To be called before any of the signals is caught.
[[nodiscard]] std::vector<int> server_signals();

} // namespace chatserv
