// How much of the conversation a newcomer is sent first: the value of --replay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

// One of the two is 0; both: nothing.
struct ReplayAmount {
    uint64_t lines = 0;
    uint64_t bytes = 0;

    // A number alone is one of lines, as the number of tail(1) is; one with K, M or G is one of
    // bytes. Nothing if the text is neither, or the number is larger than the workers take.
    [[nodiscard]] static std::optional<ReplayAmount> parse(std::string_view text);
    // In the form that parse() takes.
    [[nodiscard]] std::string text() const;
};

} // namespace chatserv
