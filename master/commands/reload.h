// `chatserv reload`: a running server reads its options again.
#pragma once

namespace chatserv {

// argv[0] is "reload". Returns the exit status. Throws Failure: EX_USAGE for options that are not
// allowed, or if several servers run and none is named; EX_UNAVAILABLE if no server runs, if it
// ends or does not answer, or if it refuses; the status of a start with the same options (EX_CONFIG
// for a file that cannot be understood) if the server cannot take them, and then nothing has
// changed. Throws std::system_error if writing to standard output fails.
[[nodiscard]] int run_reload(int argc, const char* const* argv);

} // namespace chatserv
