#include "shared/ipc/unix_socket.h"

#include "shared/system/errors.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace chatserv {

namespace {

static_assert(socket_path_bytes_max < sizeof(sockaddr_un::sun_path));

// An attempt fails only if another server takes the name at the same instant.
constexpr int attempts_max = 4;

// Returns nothing if the path is too long for an address.
std::optional<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path)
        return std::nullopt;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    return address;
}

std::string unfinished_name(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    return folder + std::string(unfinished_socket_prefix) + std::to_string(::getpid());
}

UniqueFd make_socket() {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (fd) {
        set_close_on_exec(fd.get(), true);
        set_nonblocking(fd.get());
    }
    return fd;
}

int try_to_bind(int fd, const sockaddr_un& address, mode_t mode = 0600) {
    const mode_t mask = ::umask(0777 & ~mode);
    const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int error = bound == -1 ? errno : 0;
    ::umask(mask);
    return error;
}

// Gives the socket its real name. Returns 0 or an errno: EEXIST if a file has appeared at `path`.
// The unfinished name is removed in every case.
int finish(const std::string& unfinished, const std::string& path) {
    int error = ::link(unfinished.c_str(), path.c_str()) == 0 ? 0 : errno;
    // Not every file system has hard links. rename(2) does the same, except that it replaces a file
    // that appears at this instant.
    if (error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK)
        error = ::rename(unfinished.c_str(), path.c_str()) == 0 ? 0 : errno;
    ::unlink(unfinished.c_str());
    return error;
}

// Another server can take a name between a check of the name and unlink(2). So the file is moved
// aside first, checked there, and put back if it is the wrong one. If a third server has taken the
// name meanwhile, it keeps the name, and the server whose file was moved notices that its socket
// has been removed.
template <typename Condition>
int remove_where(const std::string& path, Condition is_meant) {
    const std::string aside = unfinished_name(path);
    if (::rename(path.c_str(), aside.c_str()) == -1)
        return errno == ENOENT ? 0 : errno;
    if (is_meant(aside)) {
        ::unlink(aside.c_str());
        return 0;
    }
    (void)finish(aside, path);
    return EADDRINUSE;
}

// Returns 0 if there is no file at `path` now, or the reason why there is one.
int make_room(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == -1)
        return errno == ENOENT ? 0 : errno;
    if (S_ISDIR(info.st_mode))
        return EISDIR;
    if (!S_ISSOCK(info.st_mode))
        return ENOTSOCK;
    const int error = connect_at_once(path).error;
    if (error == ECONNREFUSED)
        return remove_abandoned(path);
    if (error == 0 || error == EAGAIN || error == EACCES)
        return EADDRINUSE; // EACCES: the socket belongs to another user
    return error == ENOENT ? 0 : error;
}

// Listens under the unfinished name; `address` is its address.
Listening begin(const std::string& unfinished, const sockaddr_un& address) {
    Listening begun{.socket = {.fd = make_socket(), .file = {}}, .error = 0};
    if (!begun.socket.fd) {
        begun.error = errno;
        return begun;
    }
    const int fd = begun.socket.fd.get();
    begun.error = try_to_bind(fd, address);
    // No other living process has this pid, so the process that left the name behind is dead.
    if (begun.error == EADDRINUSE && is_abandoned(unfinished) && ::unlink(unfinished.c_str()) == 0)
        begun.error = try_to_bind(fd, address);
    if (begun.error != 0)
        return begun;
    const auto file = identity_of(unfinished);
    if (!file || ::listen(fd, SOMAXCONN) == -1) {
        begun.error = errno;
        ::unlink(unfinished.c_str());
        return begun;
    }
    begun.socket.file = *file;
    return begun;
}

} // namespace

std::optional<FileIdentity> identity_of(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == -1)
        return std::nullopt;
    return FileIdentity{.device = info.st_dev, .inode = info.st_ino};
}

Listening try_to_listen_at(const std::string& path) {
    const std::string unfinished = unfinished_name(path);
    const auto address = address_of(unfinished);
    if (path.size() > socket_path_bytes_max || !address)
        return {.socket = {}, .error = ENAMETOOLONG};
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        if (const int error = make_room(path); error != 0)
            return {.socket = {}, .error = error};
        Listening begun = begin(unfinished, *address);
        if (begun.error == 0)
            begun.error = finish(unfinished, path);
        if (begun.error != EEXIST)
            return begun;
    }
    return {.socket = {}, .error = EADDRINUSE};
}

NamedSocket listen_at(const std::string& path) {
    Listening listening = try_to_listen_at(path);
    if (listening.error != 0)
        throw_error(listening.error, path.c_str());
    return std::move(listening.socket);
}

NamedSocket listen_for_others_at(const std::string& path, mode_t mode, std::optional<gid_t> group) {
    const auto address = address_of(path);
    if (!address || path.size() > socket_path_bytes_max)
        throw_error(ENAMETOOLONG, path.c_str());
    if (const int error = make_room(path); error != 0)
        throw_error(error, path.c_str());
    NamedSocket socket{.fd = make_socket()};
    if (!socket.fd)
        throw_errno("socket");
    const int fd = socket.fd.get();
    if (const int error = try_to_bind(fd, *address, mode); error != 0)
        throw_error(error, path.c_str());
    const auto file = identity_of(path);
    int error = file ? 0 : EADDRINUSE;
    if (error == 0 && group && ::lchown(path.c_str(), static_cast<uid_t>(-1), *group) == -1)
        error = errno;
    if (error == 0 && ::listen(fd, SOMAXCONN) == -1)
        error = errno;
    if (error == 0 && identity_of(path) != file)
        error = EADDRINUSE; // it looked abandoned to a server that starts there too
    if (error != 0 && file)
        (void)remove_if_still(path, *file);
    if (error != 0)
        throw_error(error, path.c_str());
    socket.file = *file;
    return socket;
}

Connecting connect_at_once(const std::string& path) {
    const auto address = address_of(path);
    if (!address)
        return {.socket = {}, .error = ENAMETOOLONG};
    struct stat info {};
    if (::lstat(path.c_str(), &info) == -1)
        return {.socket = {}, .error = errno};
    if (!S_ISSOCK(info.st_mode))
        return {.socket = {}, .error = ENOTSOCK};
    UniqueFd socket = make_socket();
    if (!socket)
        return {.socket = {}, .error = errno};
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) ==
            -1 &&
        errno != EINPROGRESS)
        return {.socket = {}, .error = errno == EWOULDBLOCK ? EAGAIN : errno};
    return {.socket = std::move(socket), .error = 0};
}

bool is_abandoned(const std::string& path) {
    return connect_at_once(path).error == ECONNREFUSED;
}

int remove_if_still(const std::string& path, const FileIdentity& file) {
    if (const auto now = identity_of(path); now != file)
        return now ? EADDRINUSE : 0;
    return remove_where(
        path, [&file](const std::string& aside) { return identity_of(aside) == file; });
}

int remove_abandoned(const std::string& path) {
    return is_abandoned(path) ? remove_where(path, is_abandoned) : 0;
}

} // namespace chatserv
