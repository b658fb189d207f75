#include "tests/soak/server_config.h"

#include <algorithm>

namespace chatserv::test {

namespace {

template <typename Value>
Value pick(std::mt19937_64& random, std::initializer_list<Value> all) {
    return all.begin()[random() % all.size()];
}

} // namespace

ServerConfig draw_server_config(std::mt19937_64& random, std::size_t log_bytes_max) {
    ServerConfig config;
    config.workers = pick(random, {1U, 2U, 2U, 3U, 4U});
    config.spares = pick(random, {0U, 1U, 2U});
    config.users = pick(random, {18U, 22U, 28U});
    config.log_bytes = std::min(
        log_bytes_max, pick<std::size_t>(random, {65536, 65536, 262144, 1048576, 4194304}));
    config.stall_limit_seconds = pick(random, {0.3, 0.5, 1.0});
    config.waits = random() % 3 != 0;
    config.min_drain = pick(random, {"1", "1K", "64K"});
    return config;
}

// The hang limit is the usual one. With a short one a master that gets no processor for that time
// on a busy machine is killed in the middle of its work, and the next one has other descriptors,
// and does not log what its predecessor was about to.
std::vector<std::string> ServerConfig::options() const {
    return {"--workers", std::to_string(workers), "--spares", std::to_string(spares), "--users",
        std::to_string(users), "--log-size", std::to_string(log_bytes), "--stall-limit",
        std::to_string(stall_limit_seconds), "--slow-policy", waits ? "wait" : "disconnect",
        "--min-drain", min_drain};
}

std::string ServerConfig::text() const {
    std::string all;
    for (const std::string& word : options())
        all += (all.empty() ? "" : " ") + word;
    return all;
}

} // namespace chatserv::test
