#include "tests/harness/process_figures.h"

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

// A figure of smaps_rollup, which has them in kilobytes.
std::optional<std::uint64_t> rollup_of(pid_t pid, const std::string& name) {
    std::ifstream file(folder_of(pid) / "smaps_rollup");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind(name, 0) == 0)
            return std::stoull(line.substr(name.size())) * 1024;
    }
    return std::nullopt;
}

// proc(5): the fields of `stat` from the third on, which follow the name; the name may contain
// blanks.
std::string stat_of(pid_t pid) {
    std::ifstream file(folder_of(pid) / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    return name_end == std::string::npos ? "" : line.substr(name_end + 1);
}

template <typename Condition>
std::vector<ProcessState> processes_that(Condition condition) {
    std::vector<ProcessState> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos)
            continue;
        const auto process = state_of(static_cast<pid_t>(std::stol(name)));
        if (process && condition(*process))
            found.push_back(*process);
    }
    return found;
}

} // namespace

std::optional<std::size_t> descriptors_of(pid_t pid) {
    std::error_code error;
    const std::filesystem::directory_iterator first(folder_of(pid) / "fd", error);
    if (error)
        return std::nullopt;
    return static_cast<std::size_t>(std::distance(first, {}));
}

std::optional<std::uint64_t> own_memory_bytes_of(pid_t pid) {
    return rollup_of(pid, "Anonymous:");
}

std::optional<ProcessState> state_of(pid_t pid) {
    std::istringstream rest(stat_of(pid));
    ProcessState process{.pid = pid};
    if (!(rest >> process.state >> process.parent >> process.group))
        return std::nullopt;
    return process;
}

std::vector<ProcessState> children_of(pid_t parent) {
    return processes_that([&](const ProcessState& process) { return process.parent == parent; });
}

std::vector<ProcessState> members_of(pid_t group) {
    return processes_that([&](const ProcessState& process) { return process.group == group; });
}

std::vector<ProcessState> descendants_of(pid_t ancestor) {
    std::vector<ProcessState> found = children_of(ancestor);
    for (std::size_t i = 0; i < found.size(); ++i) {
        const std::vector<ProcessState> children = children_of(found[i].pid);
        found.insert(found.end(), children.begin(), children.end());
    }
    return found;
}

// The title is followed by NUL bytes, as many as the arguments had that it replaced.
std::string title_of(pid_t pid) {
    std::ifstream file(folder_of(pid) / "cmdline", std::ios::binary);
    std::string title;
    std::getline(file, title, '\0');
    return title;
}

// The 14th and 15th field of `stat`.
std::optional<std::chrono::milliseconds> processor_time_of(pid_t pid) {
    std::istringstream rest(stat_of(pid));
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
