#include "master/config/config_input.h"

#include "master/config/config_file.h"
#include "master/config/option_table.h"
#include "shared/system/failure.h"
#include "shared/system/fd.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr const char* see_file_system = "check that its file system responds";

std::string name_of(const Setting& config) {
    return fmt::format("{} \"{}\"", config.place.text, config.text);
}

Failure cannot_read(const Setting& config, const std::string& why) {
    return {EX_NOINPUT, fmt::format("{}: {}", name_of(config), why)};
}

std::string must_be_file(const char* what) {
    return fmt::format("is {}; must be {}", what, allowed_config);
}

bool is_null_device(const struct stat& status) {
    struct stat null {};
    return ::stat("/dev/null", &null) == 0 && S_ISCHR(null.st_mode) &&
           null.st_rdev == status.st_rdev;
}

void check_type(const Setting& config, int fd) {
    struct stat status {};
    if (::fstat(fd, &status) == -1)
        throw cannot_read(config, std::strerror(errno));
    if (S_ISDIR(status.st_mode))
        throw cannot_read(config, must_be_file("a directory"));
    const bool is_device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
    if (is_device && !is_null_device(status))
        throw cannot_read(config, must_be_file("a device"));
    if (!is_device && !S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        throw cannot_read(config, must_be_file("not a file"));
}

bool is_pipe(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

UniqueFd open_file(const Setting& config, Patience patience) {
    const StartStep step("opening " + name_of(config), see_file_system, EX_NOINPUT, patience);
    // With O_NONBLOCK, a FIFO without a writer is opened at once and read as empty.
    UniqueFd file(::open(config.text.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file)
        throw cannot_read(config, fmt::format("cannot be read: {}", std::strerror(errno)));
    check_type(config, file.get());
    return file;
}

// Reads as read(2) does, but waits for input. The flags of the descriptor are not changed: on some
// systems, opening /dev/stdin gives a descriptor that other processes share.
ssize_t read_some(int fd, char* bytes, size_t size) {
    for (;;) {
        const ssize_t got = ::read(fd, bytes, size);
        if (got != -1 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return got;
        pollfd input{.fd = fd, .events = POLLIN, .revents = 0};
        (void)::poll(&input, 1, -1);
    }
}

// The writer of a pipe may be slow: for example, <(...) may decrypt a file or ask another machine.
std::string read_all(const Setting& config, int fd, Patience patience) {
    const bool pipe = is_pipe(fd);
    const StartStep step((pipe ? "waiting for the other end of " : "reading ") + name_of(config),
        pipe ? "its writer must close it after the last line" : see_file_system, EX_NOINPUT,
        patience);
    std::string text;
    char bytes[16 * 1024];
    while (const ssize_t got = read_some(fd, bytes, sizeof bytes)) {
        if (got == -1)
            throw cannot_read(config, std::strerror(errno));
        text.append(bytes, static_cast<size_t>(got));
        if (text.size() > config_bytes_max)
            throw Failure(
                EX_CONFIG, fmt::format("{}: is larger than 1 MiB, so it is no configuration file",
                               config.text));
    }
    return text;
}

} // namespace

std::string config_input(const Setting& config, Patience patience) {
    const UniqueFd file = open_file(config, patience);
    std::string text = read_all(config, file.get(), patience);
    if (text.empty() && is_pipe(file.get()))
        throw cannot_read(config, "nothing came through this pipe; no process writes to it");
    return text;
}

} // namespace chatserv
