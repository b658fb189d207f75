// UNIX stream sockets with a name in the file system: unix(4), unix(7).
//
// No call here waits. A name that anybody can see always has a listener, from its first instant on:
// the socket is bound and listens under a name of its own, `.chatserv-PID` in the same folder, and
// is given its real name then. So ECONNREFUSED says of a socket that its server is dead, never that
// it has not come so far.
#pragma once

#include "shared/system/fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace chatserv {

// Longer names do not fit into a socket address on every system.
inline constexpr size_t socket_path_bytes_max = 103;

// What a socket is called until it listens: this and the pid. Left behind if the process dies then.
inline constexpr std::string_view unfinished_socket_prefix = ".chatserv-";

// Tells a file from another one that has taken its name.
struct FileIdentity {
    dev_t device;
    ino_t inode;
    bool operator==(const FileIdentity&) const = default;
};

// lstat(2). Nothing where the name is not there, or cannot be looked at.
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& path);

struct NamedSocket {
    UniqueFd fd{};
    FileIdentity file{};
};

// A socket that listens, or why there is none.
struct Listening {
    NamedSocket socket;
    int error; // 0, or an errno
};

// Listens at `path`, for this user alone. A socket there at which nobody listens is replaced.
// Non-blocking, close-on-exec. The errors are
//     EADDRINUSE    somebody listens there, or another user's socket is there
//     EISDIR        a folder is there
//     ENOTSOCK      something else is there that is no socket
//     ENAMETOOLONG  the path has more than socket_path_bytes_max bytes, or its folder's name is so
//                   long that the unfinished name does not fit
// and what bind(2), connect(2), link(2), rename(2) and unlink(2) say: ENOENT and ENOTDIR are about
// the folder.
[[nodiscard]] Listening try_to_listen_at(const std::string& path);

// The same; throws std::system_error with the error.
[[nodiscard]] NamedSocket listen_at(const std::string& path);

// A connection, or why there is none.
struct Connecting {
    UniqueFd socket; // non-blocking, close-on-exec
    int error;       // 0, or an errno
};

// Connects to `path`. ECONNREFUSED: nobody listens there any more. EAGAIN: somebody does, but does
// not accept, and the queue is full. ENOTSOCK: no socket is there. Symbolic links are not followed.
[[nodiscard]] Connecting connect_at_once(const std::string& path);

// Whether `path` is a socket at which nobody listens any more.
[[nodiscard]] bool is_abandoned(const std::string& path);

// Removes the file at `path` if it is `file`, and no other that has taken its name meanwhile.
// Returns 0 where it is gone, by this call or before; EADDRINUSE where another has the name; or
// what rename(2) says. For a file that is held open: the inode of one that is not can be given to
// another.
[[nodiscard]] int remove_if_still(const std::string& path, const FileIdentity& file);

// Removes the socket at `path` if it is abandoned, and no other that has taken its name meanwhile.
// Returns 0 where no abandoned socket is there now, or as above.
[[nodiscard]] int remove_abandoned(const std::string& path);

} // namespace chatserv
