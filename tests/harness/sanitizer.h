// Requirements of a sanitizer's runtime that the programs themselves do not have.
#pragma once

#include <string>
#include <utility>

namespace chatserv::test {

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool address_sanitized = true;
#else
inline constexpr bool address_sanitized = false;
#endif

// For a program that may start no process, or has no /proc. The leak check at its end needs both,
// and otherwise ends the program with a status of its own.
inline const std::pair<std::string, std::string> without_leak_check{
    "ASAN_OPTIONS", "detect_leaks=0"};

} // namespace chatserv::test
