// Whether a server is at rest: every one of its processes asleep in its kqueue. From /proc(5).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);

// Nothing unless the process and its children, that many, are asleep waiting for events. Otherwise
// a text that is another one whenever any of them has run since: two equal ones in a row say that
// between them all were asleep at once, and none had woken another.
[[nodiscard]] std::optional<std::string> all_asleep(pid_t master, std::size_t children);

// The file that is missing here, if it is so; nothing if the above can be asked.
[[nodiscard]] std::optional<std::string> obstacle_to_all_asleep(pid_t master);

} // namespace chatserv::test
