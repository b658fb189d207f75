// A descriptor in the ledger. A part of layout.h.
#pragma once

#include <cstdint>
#include <type_traits>

namespace chatserv {

// A descriptor's number as the ledger holds it. The descriptor table is one for keeper and master,
// so the number means the same to both, and to every successor.
struct NotedFd {
    uint32_t word{}; // the number + 1; 0: none
};

[[nodiscard]] constexpr NotedFd noted(int fd) {
    return {static_cast<uint32_t>(fd + 1)};
}
// -1 for none.
[[nodiscard]] constexpr int number_of(NotedFd fd) {
    return static_cast<int>(fd.word) - 1;
}

} // namespace chatserv
