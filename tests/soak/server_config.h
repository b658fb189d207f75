// The options of the server of one soak, drawn by the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace chatserv::test {

struct ServerConfig {
    unsigned workers = 0;
    unsigned spares = 0;
    unsigned users = 0;
    std::size_t log_bytes = 0;
    double stall_limit_seconds = 0;
    bool waits = true; // --slow-policy
    std::string min_drain{};

    [[nodiscard]] std::vector<std::string> options() const;
    [[nodiscard]] std::string text() const; // in one line
};

[[nodiscard]] ServerConfig draw_server_config(std::mt19937_64& random, std::size_t log_bytes_max);

} // namespace chatserv::test
