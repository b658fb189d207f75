// `chatserv events`: prints what happens in a running server, as lines of JSON, until its reader
// goes.
#pragma once

namespace chatserv {

// argv[0] is "events". Returns the exit status. Throws Failure: EX_USAGE for options that are not
// allowed, or if several servers run and none is named; EX_UNAVAILABLE if no server runs, if it
// ends, does not answer or refuses, or if it cut this reader off. Throws std::system_error if
// writing to standard output fails.
[[nodiscard]] int run_events(int argc, const char* const* argv);

} // namespace chatserv
