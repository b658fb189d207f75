// A storm of connections: several threads connect as fast as they can. The test's own thread reads
// the answers.
#pragma once

#include "shared/system/fd.h"
#include "tests/harness/endpoint.h"

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace chatserv::test {

class Storm {
public:
    struct Connection {
        UniqueFd socket{};
        std::string received{};
        bool ended = false; // or never made
        int error = 0;      // 0: an end of file; otherwise the errno
    };

    // Begins at once.
    Storm(const Endpoint& server, std::size_t connections);
    ~Storm();
    Storm(const Storm&) = delete;
    Storm& operator=(const Storm&) = delete;

    // Whether all have been made, or could not be. The following are for afterwards.
    [[nodiscard]] bool is_over() const { return running_ == 0; }

    // Reads the available bytes from each connection that has not ended.
    void read();
    // Resets the connections that have not ended.
    void reset_all();

    [[nodiscard]] const std::vector<Connection>& connections() const { return connections_; }

private:
    void connect(std::size_t first, std::size_t step);
    static void read(Connection& connection);

    Endpoint server_;
    std::vector<Connection> connections_;
    std::atomic<int> running_ = 0;
    std::vector<std::thread> threads_{};
};

} // namespace chatserv::test
