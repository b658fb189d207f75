#include "tests/harness/tcp_table.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <netinet/in.h>
#include <sstream>
#include <string>

namespace chatserv::test {

namespace {

constexpr const char* listening = "0A"; // as in the kernel's include/net/tcp_states.h

// As proc_net_tcp(5) writes it: the address in words of 32 bits, and the port.
std::string as_listed(const Endpoint& endpoint) {
    std::array<std::uint32_t, 4> words{};
    std::size_t count = 1;
    if (endpoint.family() == AF_INET6) {
        const auto* const address = reinterpret_cast<const sockaddr_in6*>(endpoint.address());
        std::memcpy(words.data(), &address->sin6_addr, sizeof words);
        count = words.size();
    } else {
        const auto* const address = reinterpret_cast<const sockaddr_in*>(endpoint.address());
        std::memcpy(words.data(), &address->sin_addr, sizeof(std::uint32_t));
    }
    std::ostringstream text;
    text << std::uppercase << std::hex << std::setfill('0');
    for (std::size_t i = 0; i < count; ++i)
        text << std::setw(8) << words[i];
    text << ':' << std::setw(4) << endpoint.port();
    return text.str();
}

// proc_net_tcp(5): "0: 0100007F:270F 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0
// 4711". The last field is the inode, 0 if no process holds the socket.
bool is_held_connection_of(const std::string& line, const std::string& wanted) {
    std::istringstream words(line);
    std::string local;
    std::string state;
    std::string skipped;
    std::uint64_t inode = 0;
    words >> skipped >> local >> skipped >> state;
    for (int word = 4; word < 9; ++word)
        words >> skipped;
    return words >> inode && local == wanted && state != listening && inode != 0;
}

} // namespace

std::optional<std::size_t> held_connections_of(const Endpoint& local) {
    std::ifstream file(local.family() == AF_INET6 ? "/proc/net/tcp6" : "/proc/net/tcp");
    std::string line;
    if (!std::getline(file, line)) // its heading
        return std::nullopt;
    const std::string wanted = as_listed(local);
    std::size_t count = 0;
    while (std::getline(file, line))
        count += is_held_connection_of(line, wanted) ? 1 : 0;
    return count;
}

} // namespace chatserv::test
