// Whether a server is at rest, which means that each of its processes sleeps in its kqueue. Read
// from proc(5).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

[[nodiscard]] std::vector<pid_t> child_pids_of(pid_t pid);

// Nothing unless all of these processes sleep in the waits in which a server's processes sleep at
// rest. Otherwise as below.
[[nodiscard]] std::optional<std::string> sleep_state(const std::vector<pid_t>& processes);

// Nothing unless `master` has exactly `children` children and all of these processes sleep waiting
// for events. Otherwise a text that changes whenever one of the processes runs. Two equal texts in
// a row show that all processes slept at the same time and that none woke another in between.
[[nodiscard]] std::optional<std::string> rest_state(pid_t master, std::size_t children);

// Why rest_state() cannot be used on this system; nothing if it can.
[[nodiscard]] std::optional<std::string> obstacle_to_rest_state(pid_t master);

} // namespace chatserv::test
