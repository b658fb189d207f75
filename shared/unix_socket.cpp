#include "shared/unix_socket.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

static_assert(socket_path_bytes_max < sizeof(sockaddr_un::sun_path));

[[noreturn]] void throw_errno(int error, const std::string& path) {
    throw std::system_error(error, std::generic_category(), path);
}

sockaddr_un address_of(const std::string& path) {
    if (path.size() > socket_path_bytes_max)
        throw_errno(ENAMETOOLONG, path);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    return address;
}

UniqueFd make_socket(const std::string& path) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (!fd)
        throw_errno(errno, path);
    set_close_on_exec(fd.get(), true);
    return fd;
}

int try_to_bind(int fd, const sockaddr_un& address) {
    const mode_t mask = ::umask(0177);
    const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int error = bound == -1 ? errno : 0;
    ::umask(mask);
    return error;
}

// A socket at which nobody listens any more. One that listens and does not accept, with a full
// queue, is not waited for: it is there.
bool is_abandoned(const std::string& path, const sockaddr_un& address) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == -1 || !S_ISSOCK(info.st_mode))
        return false;
    const UniqueFd fd = make_socket(path);
    set_nonblocking(fd.get());
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1 &&
           errno == ECONNREFUSED;
}

} // namespace

UniqueFd listen_at(const std::string& path) {
    const sockaddr_un address = address_of(path);
    UniqueFd fd = make_socket(path);
    int error = try_to_bind(fd.get(), address);
    if (error == EADDRINUSE && is_abandoned(path, address) && ::unlink(path.c_str()) == 0)
        error = try_to_bind(fd.get(), address);
    if (error != 0)
        throw_errno(error, path);
    if (::listen(fd.get(), SOMAXCONN) == -1)
        throw_errno(errno, path);
    set_nonblocking(fd.get());
    return fd;
}

UniqueFd connect_to(const std::string& path) {
    const sockaddr_un address = address_of(path);
    UniqueFd fd = make_socket(path);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1)
        throw_errno(errno, path);
    return fd;
}

} // namespace chatserv
