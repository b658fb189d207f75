// What a sanitizer's runtime needs of its surroundings, and the programs do not.
#pragma once

#include <string>
#include <utility>

namespace chatserv::test {

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool address_sanitized = true;
#else
inline constexpr bool address_sanitized = false;
#endif

// For a program that may start no process, or has no /proc: the check for leaks at its end does the
// one and reads the other, and ends with a status of its own where it cannot.
inline const std::pair<std::string, std::string> without_leak_check{
    "ASAN_OPTIONS", "detect_leaks=0"};

} // namespace chatserv::test
