// What the fuzzer gives, taken from the front. Where it is used up, everything is zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace chatserv::fuzz {

class Input {
public:
    Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

    [[nodiscard]] bool empty() const { return rest_.empty(); }

    template <typename Number>
    [[nodiscard]] Number take() {
        static_assert(std::is_trivially_copyable_v<Number>);
        Number number{};
        const std::string_view bytes = take_bytes(sizeof number);
        std::memcpy(&number, bytes.data(), bytes.size());
        return number;
    }

    // As many as there are, at most `count`.
    [[nodiscard]] std::string_view take_bytes(size_t count) {
        const std::string_view bytes = rest_.substr(0, count);
        rest_.remove_prefix(bytes.size());
        return bytes;
    }

private:
    std::string_view rest_;
};

// A finding, where `holds` is false.
inline void must(bool holds, const char* what) {
    if (holds)
        return;
    std::fprintf(stderr, "finding: %s\n", what);
    std::abort();
}

} // namespace chatserv::fuzz
