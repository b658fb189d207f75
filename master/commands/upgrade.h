// `chatserv upgrade`: has a running server become the program that is installed at its path now.
#pragma once

namespace chatserv {

// argv[0] is "upgrade". Prints each step, and at the end how long users waited. Returns the exit
// status. Throws Failure: EX_USAGE for options that are not allowed, or if several servers run and
// none is named; EX_UNAVAILABLE, with the reason, if no server runs or answers, or if the upgrade
// failed: the server then goes on as it was. Throws std::system_error if writing to standard output
// fails.
[[nodiscard]] int run_upgrade(int argc, const char* const* argv);

} // namespace chatserv
