#include "master/config_input.h"

#include "master/config_file.h"
#include "master/failure.h"
#include "master/option_table.h"
#include "shared/fd.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

using Clock = std::chrono::steady_clock;

// How long a pipe may take: <(...) can decrypt a file, or ask another machine.
constexpr std::chrono::seconds silence_max{1};
constexpr std::chrono::seconds wait_max{30};

Failure cannot_read(const Setting& config, const std::string& why) {
    return {EX_NOINPUT, fmt::format("{} \"{}\": {}", config.place.text, config.text, why)};
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
        throw cannot_read(config, must_be_file("no file"));
}

// Returns when there is something to read, or the end.
void wait_for_input(const Setting& config, int fd, Clock::time_point begun, bool& said) {
    for (;;) {
        const auto left = begun + (said ? wait_max : silence_max) - Clock::now();
        const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        pollfd input{.fd = fd, .events = POLLIN, .revents = 0};
        const int ready = left_ms <= 0 ? 0 : ::poll(&input, 1, static_cast<int>(left_ms));
        if (ready > 0)
            return;
        if (ready == -1 && errno != EINTR)
            throw cannot_read(config, std::strerror(errno));
        if (ready == 0 && said)
            throw cannot_read(config,
                fmt::format("the other end of this pipe is still open after {} s; it must be "
                            "closed when everything is written",
                    wait_max.count()));
        if (ready == 0) {
            said = true;
            std::fprintf(stderr, "chatserv: waiting for the other end of %s \"%s\"\n",
                config.place.text.c_str(), as_one_line(config.text).c_str());
        }
    }
}

std::string read_all(const Setting& config, int fd) {
    const Clock::time_point begun = Clock::now();
    bool said = false;
    std::string text;
    char bytes[16 * 1024];
    // Some systems give for /dev/stdin a descriptor that waits, since others share it.
    const bool waits = (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
    for (;;) {
        if (waits)
            wait_for_input(config, fd, begun, said);
        const ssize_t got = ::read(fd, bytes, sizeof bytes);
        if (got == 0)
            return text;
        if (got > 0)
            text.append(bytes, static_cast<size_t>(got));
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            wait_for_input(config, fd, begun, said);
        else if (errno != EINTR)
            throw cannot_read(config, std::strerror(errno));
        if (text.size() > config_bytes_max)
            throw Failure(EX_CONFIG,
                fmt::format("{}: is larger than 1 MiB, and so no configuration file", config.text));
    }
}

} // namespace

std::string config_input(const Setting& config) {
    // So that a FIFO that nobody writes to is opened at once, and is then at its end.
    const UniqueFd file(::open(config.text.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file)
        throw cannot_read(config, fmt::format("cannot be read: {}", std::strerror(errno)));
    check_type(config, file.get());
    std::string text = read_all(config, file.get());
    struct stat status {};
    if (text.empty() && ::fstat(file.get(), &status) == 0 && S_ISFIFO(status.st_mode))
        throw cannot_read(config, "nothing came through this pipe; nobody writes to it");
    return text;
}

} // namespace chatserv
