// `chatserv chaos`: kills or stops workers of a running server at random, and says how long each
// takeover took.
#pragma once

namespace chatserv {

// argv[0] is "chaos". Returns the exit status; throws Failure: EX_USAGE for options that are not
// allowed, EX_UNAVAILABLE where the server cannot be reached or ends.
[[nodiscard]] int run_chaos(int argc, const char* const* argv);

} // namespace chatserv
