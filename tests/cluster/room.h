// Servers of chatserv that share a room, each as on a host of its own, and the servers of NATS that
// keep the room's order are given: all of it on 127.0.0.1, on free ports.
#pragma once

#include "tests/bridge/nats_cluster.h"
#include "tests/crash/lasting_control.h"
#include "tests/harness/client.h"
#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chatserv::test {

struct RoomOptions {
    std::string name = "hall";
    std::size_t hosts = 3;
    std::vector<std::string> more{}; // further options of each host
    std::string binary{};            // empty: the usual build
    std::vector<std::pair<std::string, std::string>> environment{};
};

class Room {
public:
    // The exit status of a host whose room is over; sysexits(3): EX_PROTOCOL.
    static constexpr int status_of_the_end = 76;

    // All hosts have joined when constructed.
    Room(Loop& loop, NatsCluster& nats, const RoomOptions& options);

    [[nodiscard]] Server& host(std::size_t at) { return *hosts_.at(at)->server; }
    [[nodiscard]] std::size_t size() const { return hosts_.size(); }
    // The path of its control socket.
    [[nodiscard]] std::string control(std::size_t at) const;
    // One more host, which has joined when this returns.
    void add_host();

    // Each host delivers, and knows all others; those that have ended are not counted. A bridge
    // that has taken over knows those that have spoken since.
    void wait_until_joined();
    // What the host says of its room, as `chatserv status` has it.
    [[nodiscard]] nlohmann::json report(std::size_t host);
    // Asks until the report is as wanted. Throws std::runtime_error naming `what`.
    nlohmann::json wait_for_report(std::size_t host,
        const std::function<bool(const nlohmann::json&)>& wanted, std::string_view what);
    // So many users are left on this host, and all that was read of any is in the room's order; or
    // the room is over on this host.
    void wait_until_at_rest(std::size_t host, std::size_t users);
    // The bridge of this host; nothing while it is being replaced.
    [[nodiscard]] std::optional<pid_t> bridge_pid(std::size_t host);

    // Whether the host has said that it cannot go on (H5), and why.
    [[nodiscard]] bool is_over(std::size_t host);
    [[nodiscard]] std::string reason_of_end(std::size_t host);

    // A client of this host that has joined when this returns.
    [[nodiscard]] std::unique_ptr<Client> join(std::size_t host);

    // SIGTERM to each; what was not right about their ends.
    [[nodiscard]] std::vector<std::string> stop();

private:
    [[nodiscard]] nlohmann::json status(std::size_t host);
    nlohmann::json wait_for_status(std::size_t host,
        const std::function<bool(const nlohmann::json&)>& wanted, std::string_view what);

    struct Host {
        Host(Loop& loop, const ServerOptions& options, const std::string& socket) :
            control(loop, socket), server(std::make_unique<Server>(loop, options)) {}
        LastingControl control;
        std::unique_ptr<Server> server;
        std::size_t lines_seen = 0; // of its log
        bool over = false;          // one of them says that the room is
    };

    Loop& loop_;
    NatsCluster& nats_;
    RoomOptions options_;
    TemporaryDirectory folder_;
    std::vector<std::unique_ptr<Host>> hosts_;
};

} // namespace chatserv::test
