// `chatserv chaos`: kills or stops workers of a running server at random, and says how long each
// takeover took.
#pragma once

namespace chatserv {

// argv[0] is "chaos". Returns the exit status; throws Failure: EX_USAGE for options that are not
// allowed or where several servers run and none is named, EX_UNAVAILABLE where there is none, it
// ends or it does not answer, EX_SOFTWARE where workers were not replaced. Throws
// std::system_error where standard output does not take what is printed.
[[nodiscard]] int run_chaos(int argc, const char* const* argv);

} // namespace chatserv
