// `chatserv stats`: prints what a running server has counted.
#pragma once

namespace chatserv {

// argv[0] is "stats". Returns the exit status; throws Failure: EX_USAGE for options that are not
// allowed, EX_UNAVAILABLE where the server cannot be reached or does not answer.
[[nodiscard]] int run_stats(int argc, const char* const* argv);

} // namespace chatserv
