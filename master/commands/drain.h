// `chatserv drain`: moves the users of a worker of a running server to the other workers.
#pragma once

namespace chatserv {

// argv[0] is "drain". Returns the exit status. Throws Failure: EX_USAGE for options that are not
// allowed, or if several servers run and none is named; EX_UNAVAILABLE if no server runs, if it
// ends or does not answer, if it refuses, or if somebody ended the drain before it was complete.
// Throws std::system_error if writing to standard output fails.
[[nodiscard]] int run_drain(int argc, const char* const* argv);

} // namespace chatserv
