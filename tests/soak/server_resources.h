// The system's resources that a server holds: processes, descriptors, memory, sockets. All counts
// are 0 on a system without /proc.
#pragma once

#include "tests/harness/server.h"
#include "tests/soak/soak_doors.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

struct ServerResources {
    std::size_t processes = 0; // the master's children
    std::size_t zombies = 0;   // ... of them
    std::size_t descriptors_of_master = 0;
    std::vector<std::size_t> descriptors_of_workers{}; // by entry
    std::size_t connections = 0;       // of the server's ports, whichever process holds them
    std::size_t local_connections = 0; // of its UNIX socket

    [[nodiscard]] std::string text() const;
    // Equal, except that a worker may have one more descriptor for each of its two timers: it keeps
    // a timer once it has used it. The clients that stay, `standing` ones, may have moved from one
    // worker to another.
    [[nodiscard]] bool matches(const ServerResources& before, std::size_t standing) const;
};

// Private memory of each process, in bytes.
using MemoryByProcess = std::map<pid_t, std::uint64_t>;

[[nodiscard]] ServerResources resources_of(
    Server& server, const SoakDoors& doors, const std::vector<pid_t>& workers);
[[nodiscard]] MemoryByProcess memory_of(Server& server, const std::vector<pid_t>& workers);

// The names that a server which has ended left in /dev/shm.
[[nodiscard]] std::vector<std::string> shared_memory_of(pid_t master);

} // namespace chatserv::test
