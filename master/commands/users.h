// `chatserv users`: lists the users of a running server.
#pragma once

namespace chatserv {

// argv[0] is "users". Returns the exit status. Throws Failure: EX_USAGE for options that are not
// allowed, or if several servers run and none is named; EX_UNAVAILABLE if no server runs, if it
// ends or does not answer. Throws std::system_error if writing to standard output fails.
[[nodiscard]] int run_users(int argc, const char* const* argv);

} // namespace chatserv
