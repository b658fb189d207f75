// Figures of a running process from /proc; nothing on a system without it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

// Number of open descriptors.
[[nodiscard]] std::optional<std::size_t> descriptors_of(pid_t pid);
// Private anonymous memory in bytes: heap and stack.
[[nodiscard]] std::optional<std::uint64_t> own_memory_bytes_of(pid_t pid);
// The processor time used so far.
[[nodiscard]] std::optional<std::chrono::milliseconds> processor_time_of(pid_t pid);

struct ProcessState {
    pid_t pid = 0;
    char state = '?'; // proc(5): R, S, T, Z ...
};
[[nodiscard]] std::vector<ProcessState> children_of(pid_t parent);

} // namespace chatserv::test
