// The version of this program.
#pragma once

namespace chatserv {

// "0.1.0". A function of its own file, so that the tests can link the programs with another one.
[[nodiscard]] const char* program_version();

} // namespace chatserv
