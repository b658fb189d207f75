// What ps(1) shows of this process.
#pragma once

#include <string>

namespace chatserv {

// To be called first thing in main(): where the system has no call of its own for it, the title is
// written over the arguments, and the environment behind them is moved out of the way.
void prepare_process_title(int argc, char** argv);

// setproctitle(3) where there is one. Cut to the room there is.
void set_process_title(const std::string& title);

} // namespace chatserv
