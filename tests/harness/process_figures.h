// What the system says of a running process; nothing where it has no /proc to say it in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

// How many descriptors it has open.
[[nodiscard]] std::optional<std::size_t> descriptors_of(pid_t pid);
// Its memory that it shares with nobody and that no file is behind: heap and stack.
[[nodiscard]] std::optional<std::uint64_t> own_memory_bytes_of(pid_t pid);
// The processor's time that it has taken so far.
[[nodiscard]] std::optional<std::chrono::milliseconds> processor_time_of(pid_t pid);

struct ProcessState {
    pid_t pid = 0;
    char state = '?'; // proc(5): R, S, T, Z ...
};
[[nodiscard]] std::vector<ProcessState> children_of(pid_t parent);

} // namespace chatserv::test
