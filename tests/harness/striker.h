// Kills and stops processes of a server, no process twice.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

enum class Strike { kill, stop }; // SIGKILL, SIGSTOP

class Striker {
public:
    // Strikes one of `workers`, or, once in `all_once_in` calls on average, all of them
    // within the same moment. Skips a process that was struck before or has ended.
    void strike(const std::vector<pid_t>& workers, Strike how, unsigned all_once_in,
        std::mt19937_64& random);

    // Strikes all of these within the same moment, except those that were struck before or have
    // ended.
    void strike_all(const std::vector<pid_t>& victims, Strike how);

    [[nodiscard]] std::uint64_t killed() const { return killed_; }
    [[nodiscard]] std::uint64_t stopped() const { return stopped_; }

private:
    void strike_one(pid_t victim, Strike how);

    std::set<pid_t> struck_;
    std::uint64_t killed_ = 0;
    std::uint64_t stopped_ = 0;
};

} // namespace chatserv::test
