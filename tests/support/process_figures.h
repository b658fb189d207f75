// What the system says of a running process; nothing where it has no /proc to say it in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace chatserv::test {

// How many descriptors it has open.
[[nodiscard]] std::optional<std::size_t> descriptors_of(pid_t pid);
// Its memory, where what it shares with others counts as a part (PSS).
[[nodiscard]] std::optional<std::uint64_t> memory_bytes_of(pid_t pid);
// The processor's time that it has taken so far.
[[nodiscard]] std::optional<std::chrono::milliseconds> processor_time_of(pid_t pid);

} // namespace chatserv::test
