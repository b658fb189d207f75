// A soak: one server, on which scene after scene is played, and whose books are balanced after
// each.
#pragma once

#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"
#include "tests/soak/client_history.h"
#include "tests/soak/scene.h"
#include "tests/soak/server_config.h"
#include "tests/soak/server_resources.h"
#include "tests/soak/soak_doors.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace chatserv::test {

struct SoakOptions {
    std::string binary{};        // empty: the usual build
    std::uint64_t scenes = 1;    // after the first, which is to warm up
    std::uint64_t actions = 500; // of each scene
    std::uint64_t bursts = 60;   // of each scene; some more in the last one
    std::uint64_t actions_per_strike = 12;
    std::size_t log_bytes_max = 262144;
};

class Soak {
public:
    Soak(Loop& loop, std::uint64_t seed, const SoakOptions& options);

    // Runs the soak to the server's end. Returns everything that is wrong, and stops at the first
    // scene with an error.
    [[nodiscard]] std::vector<std::string> run();

    [[nodiscard]] const SceneCounts& counts() const { return counts_; }
    [[nodiscard]] const ServerConfig& config() const { return config_; }
    // By how much the memory of the master, and of the worker with the most, has grown.
    [[nodiscard]] std::int64_t growth_of_master() const { return growth_of_master_; }
    [[nodiscard]] std::int64_t growth_of_workers() const { return growth_of_workers_; }
    // How often a user moved from a live worker to another.
    [[nodiscard]] std::uint64_t moved() const { return moved_; }

private:
    void wait_until_complete();
    [[nodiscard]] std::vector<std::string> play(const SceneOptions& scene);
    [[nodiscard]] std::vector<std::string> play_the_last_one();
    [[nodiscard]] std::vector<std::string> balance();
    [[nodiscard]] std::vector<std::string> flaws_of_books();
    [[nodiscard]] std::vector<std::string> flaws_of_memory(const MemoryByProcess& before);
    [[nodiscard]] std::vector<std::string> end();
    [[nodiscard]] std::uint64_t connections_seen() const;

    Loop& loop_;
    std::mt19937_64 random_;
    SoakOptions options_;
    ServerConfig config_;
    TemporaryDirectory folder_{};
    SoakDoors doors_;
    Server server_;
    ControlConnection control_;
    ClientHistory history_;
    ServerResources before_{};        // when the server listened
    MemoryByProcess memory_before_{}; // after the first scene
    SceneCounts counts_{};
    std::int64_t growth_of_master_ = 0;
    std::int64_t growth_of_workers_ = 0;
    std::uint64_t moved_ = 0;
};

} // namespace chatserv::test
