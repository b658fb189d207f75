// Who is at the other end of a UNIX stream socket.
#pragma once

#include <cstdint>
#include <fmt/core.h>
#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv {

// The effective user of the process that connected, at the time of its connect(2): getpeereid(3),
// or SO_PEERCRED of unix(7) on Linux. Nothing if the system does not tell.
[[nodiscard]] std::optional<uid_t> user_of_peer(int socket);

// That process as well, by the same call; 0 where the system tells its user alone. It may have
// ended since, or may have given the socket to another process.
struct PeerProcess {
    uint32_t pid = 0; // 0: not known
    uint32_t uid = 0; // all ones: not known
};
[[nodiscard]] std::optional<PeerProcess> process_of_peer(int socket);

// "unix:pid=77,uid=1000", as far as it is known, or "unix" alone.
[[nodiscard]] inline std::string text_of(const PeerProcess& process) {
    if (process.uid == ~0U)
        return "unix";
    return process.pid == 0 ? fmt::format("unix:uid={}", process.uid)
                            : fmt::format("unix:pid={},uid={}", process.pid, process.uid);
}

} // namespace chatserv
