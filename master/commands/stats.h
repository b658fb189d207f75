// `chatserv stats`: prints what a running server has counted.
#pragma once

namespace chatserv {

// argv[0] is "stats". Returns the exit status. Throws Failure: EX_USAGE for options that are not
// allowed, or if several servers run and none is named; EX_UNAVAILABLE if no server runs or it does
// not answer. Throws std::system_error if writing to standard output fails.
[[nodiscard]] int run_stats(int argc, const char* const* argv);

} // namespace chatserv
