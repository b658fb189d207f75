// The control socket in the file system: made where --control says or where it usually is, made
// anew when a cleaner of /tmp has removed it, and removed at the end if it still is this server's.
#pragma once

#include "master/config/options.h"
#include "master/ledger/holdings.h"
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
    // One that another program of this process had made at `path`.
    ControlSocket(std::string path, UniqueFd socket);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    // Notes the socket's descriptor in the ledger, now and whenever it is made anew.
    void note_in(const Holdings& holdings);
    // In a successor, perhaps of a master that had made it anew: the descriptor is the one that is
    // noted in this ledger, and one that is made later is noted there.
    void adopt_noted(const Holdings& holdings);

    [[nodiscard]] int fd() const { return socket_.fd.get(); }
    [[nodiscard]] const std::string& path() const { return path_; }

    // To be called in each turn of the loop. Every two seconds it checks that the socket is still
    // there, and listens again if it is not. Then it returns the former socket, whose listen queue
    // can hold connections. The log has a line for each change.
    [[nodiscard]] std::optional<UniqueFd> look(Clock::time_point now);

private:
    [[nodiscard]] std::optional<UniqueFd> make_anew();
    void tell_trouble(int error);

    std::string path_;
    NamedSocket socket_;
    std::optional<Holdings> holdings_{};
    Clock::time_point next_look_{};
    Clock::time_point next_touch_{};
    bool trouble_told_ = false;
    std::optional<FileIdentity>
        occupant_{}; // the file that has taken the name, of which the log told
};

// Removes the sockets that dead servers of this user have left, and opens the control socket; null
// for
// `--control none`. Throws Failure(EX_UNAVAILABLE) where the path that --control names is not
// available. Without --control a server whose socket cannot be made serves all the same, and the
// log says so.
[[nodiscard]] std::unique_ptr<ControlSocket> open_control_socket(const Options& options);

} // namespace chatserv
