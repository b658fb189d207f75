// A chatserv that has joined a room, and what it says of itself over its control socket.
#pragma once

#include "tests/bridge/nats_cluster.h"
#include "tests/harness/client.h"
#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace chatserv::test {

class JoinedServer {
public:
    // Listening when constructed. Its room is called `test`.
    JoinedServer(Loop& loop, const NatsCluster& cluster, std::vector<std::string> more = {});

    [[nodiscard]] Server& server() { return *server_; }
    // A client that has joined.
    [[nodiscard]] std::unique_ptr<Client> join();

    // What a command prints, which ends with 0.
    std::string ask(std::vector<std::string> words);
    [[nodiscard]] nlohmann::json status();
    [[nodiscard]] nlohmann::json room() { return status().at("room"); }
    [[nodiscard]] nlohmann::json stats();
    // Asks until the room is as wanted. Throws std::runtime_error if it never is.
    void wait_for_room(const std::function<bool(const nlohmann::json&)>& wanted, const char* what);
    // Until what users send is relayed, and so many other hosts are known.
    void wait_until_delivering(unsigned others = 0);

private:
    Loop& loop_;
    TemporaryDirectory folder_;
    std::unique_ptr<Server> server_;
};

} // namespace chatserv::test
