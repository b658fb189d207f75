// `chatserv kick`: disconnects users of a running server, and waits until they are gone.
#pragma once

namespace chatserv {

// argv[0] is "kick". Returns the exit status. Throws Failure: EX_USAGE for options that are not
// allowed, or if several servers run and none is named; EX_UNAVAILABLE if no server runs, if there
// is no such user, or if the server ends or does not answer. Throws std::system_error if writing to
// standard output fails.
[[nodiscard]] int run_kick(int argc, const char* const* argv);

} // namespace chatserv
