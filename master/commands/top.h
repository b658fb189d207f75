// `chatserv top`: shows a running server and its users in a terminal, again and again, until a key
// ends it. Keys sort the users and kick one.
#pragma once

namespace chatserv {

// argv[0] is "top". Returns the exit status. Throws Failure: EX_USAGE for options that are not
// allowed, without a terminal, or if several servers run and none is named; EX_UNAVAILABLE if no
// server runs, if it ends or does not answer, or in a build without ncurses.
[[nodiscard]] int run_top(int argc, const char* const* argv);

} // namespace chatserv
