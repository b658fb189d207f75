#include "tests/support/process_figures.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <unistd.h>

namespace chatserv::test {

namespace {

std::filesystem::path folder_of(pid_t pid) {
    return std::filesystem::path("/proc") / std::to_string(pid);
}

} // namespace

std::optional<std::size_t> descriptors_of(pid_t pid) {
    std::error_code error;
    const std::filesystem::directory_iterator first(folder_of(pid) / "fd", error);
    if (error)
        return std::nullopt;
    return static_cast<std::size_t>(std::distance(first, {}));
}

std::optional<std::uint64_t> memory_bytes_of(pid_t pid) {
    std::ifstream file(folder_of(pid) / "smaps_rollup");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("Pss:", 0) == 0)
            return std::stoull(line.substr(4)) * 1024;
    }
    return std::nullopt;
}

// proc(5): the 14th and 15th field of `stat`, counted from behind the name, which may have blanks.
std::optional<std::chrono::milliseconds> processor_time_of(pid_t pid) {
    std::ifstream file(folder_of(pid) / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos)
        return std::nullopt;
    std::istringstream rest(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field)
        rest >> skipped;
    long user_ticks = 0;
    long system_ticks = 0;
    if (!(rest >> user_ticks >> system_ticks))
        return std::nullopt;
    return std::chrono::milliseconds((user_ticks + system_ticks) * 1000 / ::sysconf(_SC_CLK_TCK));
}

} // namespace chatserv::test
