#include "master/sources/program/openings.h"

#include "master/config/resolver.h"
#include "shared/ipc/unix_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

Opened failed(int error) {
    return {.error = std::strerror(error)};
}

// Waits for the end of connect(2). Returns 0 or an errno.
int wait_for_connection(int socket) {
    pollfd asked{.fd = socket, .events = POLLOUT, .revents = 0};
    int ready = 0;
    do {
        ready = ::poll(&asked, 1, connect_seconds_max * 1000);
    } while (ready == -1 && errno == EINTR);
    if (ready == 0)
        return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == -1 ? errno : error;
}

Opened connect_to(const Address& address) {
    UniqueFd socket(::socket(address.family(), SOCK_STREAM, 0));
    if (!socket)
        return failed(errno);
    set_close_on_exec(socket.get(), true);
    set_nonblocking(socket.get());
    const int on = 1;
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
    int error = 0;
    if (::connect(socket.get(), address.data(), address.size()) == -1)
        error = errno == EINPROGRESS ? wait_for_connection(socket.get()) : errno;
    if (error != 0)
        return failed(error);
    return {.fd = std::move(socket)};
}

struct SpeedRow {
    uint32_t baud;
    speed_t speed;
};
constexpr SpeedRow speeds[] = {
    {300, B300},
    {600, B600},
    {1200, B1200},
    {2400, B2400},
    {4800, B4800},
    {9600, B9600},
    {19200, B19200},
    {38400, B38400},
#ifdef B57600
    {57600, B57600},
    {115200, B115200},
    {230400, B230400},
#endif
#ifdef B460800
    {460800, B460800},
#endif
#ifdef B921600
    {921600, B921600},
#endif
};

// CLOCAL: the line is used without waiting for a carrier, and its loss does not end it.
int make_raw(int line, speed_t speed) {
    termios settings{};
    if (::tcgetattr(line, &settings) == -1)
        return errno;
    ::cfmakeraw(&settings);
    settings.c_cflag |= static_cast<tcflag_t>(CLOCAL | CREAD);
    settings.c_cflag &= ~static_cast<tcflag_t>(CSTOPB);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    if (::cfsetispeed(&settings, speed) == -1 || ::cfsetospeed(&settings, speed) == -1 ||
        ::tcsetattr(line, TCSANOW, &settings) == -1)
        return errno;
    return 0;
}

} // namespace

Opened connect_tcp(const std::string& host, uint16_t port) {
    const Resolved resolved = look_up(host);
    if (resolved.addresses.empty())
        return {.error = fmt::format("no address was found for {} ({})", host, resolved.error)};
    Opened opened;
    for (const Address& address : resolved.addresses) {
        opened = connect_to(address.with_port(port));
        if (opened.fd)
            return opened;
        if (resolved.addresses.size() > 1)
            opened.error = fmt::format("{}: {}", address.with_port(port).text(), opened.error);
    }
    return opened;
}

Opened connect_unix(const std::string& path) {
    // As a server behind it may take a while to accept, EAGAIN is one more reason to try again.
    Connecting connecting = connect_at_once(path);
    if (connecting.error != 0)
        return failed(connecting.error);
    return {.fd = std::move(connecting.socket)};
}

// Without O_NONBLOCK the opening would wait for a carrier. O_NOCTTY: the line's hang-up must not
// end this process.
Opened open_serial(const std::string& path, uint32_t baud, int access) {
    const auto* const row = std::ranges::find(speeds, baud, &SpeedRow::baud);
    if (row == std::end(speeds))
        return {.error = fmt::format("this system has no speed {}", baud)};
    UniqueFd line(::open(path.c_str(), access | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (!line)
        return failed(errno);
    if (::isatty(line.get()) == 0)
        return {.error = "is not a serial line"};
    if (const int error = make_raw(line.get(), row->speed); error != 0)
        return failed(error);
    return {.fd = std::move(line)};
}

} // namespace chatserv
