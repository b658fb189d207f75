#include "master/start/handed_sockets.h"

#include "shared/system/failure.h"
#include "shared/system/whole_number.h"

#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <optional>
#include <string_view>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr int first_handed = STDERR_FILENO + 1; // SD_LISTEN_FDS_START
constexpr int count_max = 1024;
constexpr const char* pid_variable = "LISTEN_PID";
constexpr const char* count_variable = "LISTEN_FDS";
constexpr const char* names_variable = "LISTEN_FDNAMES";
constexpr std::string_view name_by_default = "unknown"; // as sd_listen_fds_with_names(3) has it

// The value of the variable, which is removed from the environment.
std::string take_variable(const char* name) {
    const char* const value = std::getenv(name);
    std::string taken = value == nullptr ? "" : value;
    ::unsetenv(name);
    return taken;
}

// The first name of the list, which is removed from it.
std::string take_name(std::string_view& names) {
    const size_t colon = names.find(':');
    const std::string_view name = names.substr(0, colon);
    names.remove_prefix(colon == std::string_view::npos ? names.size() : colon + 1);
    return std::string(name.empty() ? name_by_default : name);
}

} // namespace

std::vector<HandedSocket> take_handed_sockets() {
    const std::string pid = take_variable(pid_variable);
    const std::string count_text = take_variable(count_variable);
    const std::string all_names = take_variable(names_variable);
    if (whole_number<int>(pid) != ::getpid())
        return {}; // they were meant for another process, from which this one has its environment
    const auto count = whole_number<int>(count_text);
    if (!count || *count < 0 || *count > count_max)
        throw Failure(EX_USAGE, fmt::format("{} \"{}\": must be a number from 0 to {}",
                                    count_variable, count_text, count_max));
    std::string_view names = all_names;
    std::vector<HandedSocket> sockets;
    for (int fd = first_handed; fd < first_handed + *count; ++fd) {
        if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
            throw Failure(EX_USAGE, fmt::format("{} \"{}\": descriptor {} is not open",
                                        count_variable, count_text, fd));
        sockets.push_back({.fd = UniqueFd(fd), .name = take_name(names)});
    }
    return sockets;
}

} // namespace chatserv
