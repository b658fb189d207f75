// Figures of a running process from /proc; nothing on a system without it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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
    pid_t parent = 0;
    pid_t group = 0;
};
[[nodiscard]] std::vector<ProcessState> children_of(pid_t parent);
// Children, their children, and so on.
[[nodiscard]] std::vector<ProcessState> descendants_of(pid_t ancestor);

// Nothing where there is no such process.
[[nodiscard]] std::optional<ProcessState> state_of(pid_t pid);
// The members of a process group, zombies among them.
[[nodiscard]] std::vector<ProcessState> members_of(pid_t group);

// What ps(1) shows of the process; empty if it has ended.
[[nodiscard]] std::string title_of(pid_t pid);

} // namespace chatserv::test
