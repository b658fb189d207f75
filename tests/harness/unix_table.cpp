#include "tests/harness/unix_table.h"

#include <fstream>

namespace chatserv::test {

// proc_pid_net(5), "Num: RefCount Protocol Flags Type St Inode Path": the state 03 is that of a
// connected socket. An accepted one has the path of its listener.
std::optional<std::size_t> connections_of_path(const std::string& path) {
    std::ifstream file("/proc/net/unix");
    std::string line;
    if (!std::getline(file, line)) // its heading
        return std::nullopt;
    std::size_t count = 0;
    while (std::getline(file, line))
        count += line.ends_with(" " + path) && line.find(" 0001 03 ") != std::string::npos ? 1 : 0;
    return count;
}

} // namespace chatserv::test
