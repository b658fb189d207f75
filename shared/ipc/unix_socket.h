// UNIX stream sockets with a name in the file system: unix(4), unix(7).
//
// No call here waits. A socket has a listener from the first instant of its real name on: it is
// bound and listens under a name of its own, `.chatserv-PID` in the same folder, and only then gets
// its real name. ECONNREFUSED therefore always means that the server is dead, never that it is not
// ready yet.
#pragma once

#include "shared/system/fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace chatserv {

// Longer names do not fit into a socket address on every system.
inline constexpr size_t socket_path_bytes_max = 103;

// The name of a socket until it listens: this prefix and the pid. A process that dies in between
// leaves the file behind.
inline constexpr std::string_view unfinished_socket_prefix = ".chatserv-";

// Distinguishes a file from a later one of the same name.
struct FileIdentity {
    dev_t device;
    ino_t inode;
    bool operator==(const FileIdentity&) const = default;
};

// lstat(2). Returns nothing if the name does not exist or cannot be examined.
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& path);

struct NamedSocket {
    UniqueFd fd{};
    FileIdentity file{};
};

// A listening socket, or the error.
struct Listening {
    NamedSocket socket;
    int error; // 0, or an errno
};

// Listens at `path`, for this user alone, and replaces an abandoned socket there. The new socket is
// non-blocking and close-on-exec. The errors are
//     EADDRINUSE    a server listens there, or the socket there belongs to another user
//     EISDIR        a folder is there
//     ENOTSOCK      another file is there that is not a socket
//     ENAMETOOLONG  the path has more than socket_path_bytes_max bytes, or the unfinished name does
//                   not fit into an address
// and those of bind(2), connect(2), link(2), rename(2) and unlink(2): ENOENT and ENOTDIR are about
// the folder.
[[nodiscard]] Listening try_to_listen_at(const std::string& path);

// The same; throws std::system_error with the error.
[[nodiscard]] NamedSocket listen_at(const std::string& path);

// Listens at `path` for others than this user too, whom `mode` and `group` of the file name:
// chmod(2), chown(2). Replaces an abandoned socket there. The socket is bound under its real name,
// which getsockname(2) says of it and of each connection that it accepts, and which nobody can
// connect to before it listens: in that instant it looks abandoned, so a server that starts at the
// same time may take its place, and then this call fails. Throws std::system_error with the errors
// above.
[[nodiscard]] NamedSocket listen_for_others_at(
    const std::string& path, mode_t mode, std::optional<gid_t> group);

// A connection, or the error.
struct Connecting {
    UniqueFd socket; // non-blocking, close-on-exec
    int error;       // 0, or an errno
};

// Connects to `path`. ECONNREFUSED: no server listens there any more. EAGAIN: a server listens, but
// does not accept, and its queue is full. ENOTSOCK: the file is not a socket. Symbolic links are
// not followed.
[[nodiscard]] Connecting connect_at_once(const std::string& path);

// Whether `path` is a socket at which no server listens any more.
[[nodiscard]] bool is_abandoned(const std::string& path);

// Removes the file at `path` if it is `file`, and not a later file of the same name. Returns 0 if
// `file` is gone, by this call or before; EADDRINUSE if another file has the name; or an errno of
// rename(2). The caller holds `file` open: otherwise its inode can be given to another file.
[[nodiscard]] int remove_if_still(const std::string& path, const FileIdentity& file);

// Removes the socket at `path` if it is abandoned, and not a later file of the same name. Returns 0
// if no abandoned socket is there now, or an errno as remove_if_still() does.
[[nodiscard]] int remove_abandoned(const std::string& path);

} // namespace chatserv
