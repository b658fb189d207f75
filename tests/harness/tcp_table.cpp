#include "tests/harness/tcp_table.h"

#include <fstream>
#include <sstream>
#include <string>

namespace chatserv::test {

namespace {

constexpr const char* listening = "0A"; // as in the kernel's include/net/tcp_states.h

// proc_net_tcp(5): "0: 0100007F:270F 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0
// 4711". The last field is the inode, 0 if no process holds the socket.
bool is_held_connection_of(const std::string& line, std::uint16_t port) {
    std::istringstream words(line);
    std::string local;
    std::string state;
    std::string skipped;
    std::uint64_t inode = 0;
    words >> skipped >> local >> skipped >> state;
    for (int word = 4; word < 9; ++word)
        words >> skipped;
    const std::size_t colon = local.rfind(':');
    return words >> inode && colon != std::string::npos &&
           std::stoul(local.substr(colon + 1), nullptr, 16) == port && state != listening &&
           inode != 0;
}

} // namespace

std::optional<std::size_t> held_connections_of_port(std::uint16_t port) {
    std::size_t count = 0;
    bool listed = false;
    for (const char* const name : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file(name);
        std::string line;
        if (!std::getline(file, line)) // its heading
            continue;
        listed = true;
        while (std::getline(file, line))
            count += is_held_connection_of(line, port) ? 1 : 0;
    }
    return listed ? std::optional(count) : std::nullopt;
}

} // namespace chatserv::test
