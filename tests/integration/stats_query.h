// Asks a running server for its counters, as `chatserv stats` does.
#pragma once

#include "tests/harness/process.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace chatserv::test {

class StatsServerTest : public ServerTest {
protected:
    void start_with_control(std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--control", socket()});
        start(options);
    }

    std::string socket() const { return folder_.path().string() + "/control"; }

    nlohmann::json stats() {
        const Finished finished = run(loop_, {{chatserv_path(), "stats", "--control", socket()}});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        return nlohmann::json::parse(finished.output);
    }

    // Asks until the answer is one.
    nlohmann::json wait_for_stats(const std::function<bool(const nlohmann::json&)>& wanted) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < deadline) {
            if (nlohmann::json said = stats(); wanted(said))
                return said;
        }
        throw std::runtime_error("the counters are not as wanted: " + stats().dump());
    }

    TemporaryDirectory folder_;
};

} // namespace chatserv::test
