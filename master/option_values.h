// The options' values: from text to what they mean. A value that is not allowed is refused in one
// line that names the option, the value, and what is allowed: Failure(EX_USAGE).
#pragma once

#include "master/address.h"
#include "master/network.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace chatserv {

[[noreturn]] void refuse(
    const std::string& option, const std::string& value, const std::string& allowed);

[[nodiscard]] uint32_t count_of(
    const char* option, const std::string& text, uint32_t min, uint32_t max);
// With K, M or G, or without. `allowed` says what min and max are.
[[nodiscard]] uint64_t bytes_of(
    const char* option, const std::string& text, uint64_t min, uint64_t max, const char* allowed);
[[nodiscard]] std::chrono::milliseconds limit_of(const char* option, const std::string& text);
// As a limit, up to `max`; or 0, which is to mean that there is none.
[[nodiscard]] std::chrono::milliseconds timeout_of(
    const char* option, const std::string& text, std::chrono::milliseconds max);
[[nodiscard]] std::string control_path_of(const std::string& text);
[[nodiscard]] std::vector<Address> addresses_of(const std::vector<std::string>& texts);
[[nodiscard]] std::vector<Network> networks_of(
    const char* option, const std::vector<std::string>& texts);

// The words with commas between them.
template <typename Words>
[[nodiscard]] std::string list_of(const Words& words) {
    std::string list;
    for (const auto& word : words)
        list.append(list.empty() ? "" : ", ").append(word);
    return list;
}

} // namespace chatserv
