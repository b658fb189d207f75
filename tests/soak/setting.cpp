#include "tests/soak/setting.h"

#include <algorithm>

namespace chatserv::test {

namespace {

template <typename Value>
Value pick(std::mt19937_64& random, std::initializer_list<Value> all) {
    return all.begin()[random() % all.size()];
}

} // namespace

Setting draw_setting(std::mt19937_64& random, std::size_t log_bytes_max) {
    Setting setting;
    setting.workers = pick(random, {1U, 2U, 2U, 3U, 4U});
    setting.spares = pick(random, {0U, 1U, 2U});
    setting.users = pick(random, {14U, 18U, 24U});
    setting.log_bytes = std::min(
        log_bytes_max, pick<std::size_t>(random, {65536, 65536, 262144, 1048576, 4194304}));
    setting.stall_limit_seconds = pick(random, {0.3, 0.5, 1.0});
    setting.waits = random() % 3 != 0;
    setting.min_drain = pick(random, {"1", "1K", "64K"});
    return setting;
}

std::vector<std::string> Setting::options() const {
    return {"--workers", std::to_string(workers), "--spares", std::to_string(spares), "--users",
        std::to_string(users), "--log-size", std::to_string(log_bytes), "--stall-limit",
        std::to_string(stall_limit_seconds), "--slow-policy", waits ? "wait" : "disconnect",
        "--min-drain", min_drain, "--hang-limit", "0.3"};
}

std::string Setting::text() const {
    std::string all;
    for (const std::string& word : options())
        all += (all.empty() ? "" : " ") + word;
    return all;
}

} // namespace chatserv::test
