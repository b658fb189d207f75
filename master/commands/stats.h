// `chatserv stats`: prints what a running server has counted.
#pragma once

namespace chatserv {

// argv[0] is "stats". Returns the exit status; throws Failure: EX_USAGE for options that are not
// allowed or where several servers run and none is named, EX_UNAVAILABLE where there is none or it
// does not answer. Throws std::system_error where standard output does not take what is printed.
[[nodiscard]] int run_stats(int argc, const char* const* argv);

} // namespace chatserv
