// The title of this process in ps(1).
#pragma once

#include <string>

namespace chatserv {

// To be called first in main(). On a system without setproctitle(3) the title is written over the
// arguments, and the environment behind them is moved elsewhere.
void prepare_process_title(int argc, char** argv);

// setproctitle(3) if the system has it. A title that does not fit is cut.
void set_process_title(const std::string& title);

} // namespace chatserv
