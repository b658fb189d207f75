// What a server holds of the system: processes, descriptors, memory, sockets. Where the system has
// no /proc to say so, nothing is held.
#pragma once

#include "tests/harness/server.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

struct Inventory {
    std::size_t processes = 0; // the master's children
    std::size_t zombies = 0;   // ... of them
    std::size_t descriptors_of_master = 0;
    std::vector<std::size_t> descriptors_of_workers{}; // by entry
    std::size_t connections = 0;                       // of the server's ports, held by whomever

    [[nodiscard]] std::string text() const;
    // A worker may have one more for either of its timers, which it keeps once it has used it.
    [[nodiscard]] bool is_as(const Inventory& before) const;
};

// Memory that is the process's own, by process.
using MemoryBook = std::map<pid_t, std::uint64_t>;

[[nodiscard]] Inventory inventory_of(Server& server, const std::vector<pid_t>& workers);
[[nodiscard]] MemoryBook memory_of(Server& server, const std::vector<pid_t>& workers);

// What a server that has ended has left in the system's list of shared memory.
[[nodiscard]] std::vector<std::string> shared_memory_of(pid_t master);

} // namespace chatserv::test
