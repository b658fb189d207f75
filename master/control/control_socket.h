// The control socket's place in the file system, from the start to the end: made where --control
// says or where it usually is, made anew where a cleaner of /tmp removed it, and removed at the end
// if it is this server's still.
#pragma once

#include "master/config/options.h"
#include "shared/ipc/unix_socket.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace chatserv {

class ControlSocket {
public:
    using Clock = std::chrono::steady_clock;

    // Throws std::system_error as listen_at() does.
    explicit ControlSocket(std::string path);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    [[nodiscard]] int fd() const { return socket_.fd.get(); }
    [[nodiscard]] const std::string& path() const { return path_; }

    // The master calls this at each turn of its loop. Every two seconds it checks that the socket
    // is still there, and listens again if it is not; then it returns the former socket, whose
    // queue can hold connections. The log has a line for each change.
    [[nodiscard]] std::optional<UniqueFd> look(Clock::time_point now);

private:
    [[nodiscard]] std::optional<UniqueFd> make_anew();
    void tell_trouble(int error);

    std::string path_;
    NamedSocket socket_;
    Clock::time_point next_look_{};
    Clock::time_point next_touch_{};
    bool trouble_told_ = false;
    std::optional<FileIdentity> occupant_{}; // whose word it was that the name is taken
};

// Removes what dead servers of this user have left, and opens the control socket; null for
// `--control none`. Throws Failure(EX_UNAVAILABLE) where the path that the user asked for is not to
// be had; without one that was asked for a server serves all the same, and the log says so.
[[nodiscard]] std::unique_ptr<ControlSocket> open_control_socket(const Options& options);

} // namespace chatserv
