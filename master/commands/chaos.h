// `chatserv chaos`: kills or stops workers of a running server at random, and prints how long each
// takeover took.
#pragma once

namespace chatserv {

// argv[0] is "chaos". Returns the exit status. Throws Failure: EX_USAGE for options that are not
// allowed, or if several servers run and none is named; EX_UNAVAILABLE if no server runs, or if it
// ends or does not answer; EX_SOFTWARE if workers were not replaced. Throws std::system_error if
// writing to standard output fails.
[[nodiscard]] int run_chaos(int argc, const char* const* argv);

} // namespace chatserv
