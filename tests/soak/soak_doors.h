// The doors of a soak's server, and who is on the other side of its sources: a TCP server that
// talks, a UNIX socket and a file that speak. The sources are connected before the first scene and
// stay to the end of the server.
#pragma once

#include "tests/harness/client.h"
#include "tests/harness/peer_server.h"
#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"
#include "tests/soak/client_history.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv::test {

// The places of the listeners among the server's endpoints; the UNIX socket is none of them.
enum class Door : std::size_t { talk, other_talk, listen, speak, resume, local };
constexpr std::size_t endpoints_of_soak = 5;

struct StandingSource {
    std::string name{};               // as in the server's log
    std::shared_ptr<Client> client{}; // null: a file
    std::shared_ptr<const Stay> stay{};
    bool hears = false;
};

class SoakDoors {
public:
    // `folder`: for the socket of the server's own. What the test makes is in another one.
    SoakDoors(Loop& loop, const std::string& folder);

    // Of the server.
    [[nodiscard]] std::vector<std::string> listen() const;
    [[nodiscard]] std::vector<std::string> options() const;
    static constexpr std::size_t source_processes = 2; // TCP has none once it is connected

    // Waits until the server has connected its sources.
    void accept_sources(ClientHistory& history);
    [[nodiscard]] const std::vector<StandingSource>& sources() const { return sources_; }
    void append_to_file(std::string_view text) const;

    // `receive_buffer_bytes`: 0 for the system's; a UNIX socket has no other.
    [[nodiscard]] std::shared_ptr<Client> connect(
        Server& server, Door door, int receive_buffer_bytes);
    [[nodiscard]] const std::string& local_path() const { return local_path_; }

private:
    [[nodiscard]] std::string own(const char* name) const {
        return own_folder_.path().string() + "/" + name;
    }

    Loop& loop_;
    std::string local_path_;
    TemporaryDirectory own_folder_{};
    PeerServer tcp_peer_;
    PeerServer unix_peer_;
    std::vector<StandingSource> sources_{};
};

} // namespace chatserv::test
