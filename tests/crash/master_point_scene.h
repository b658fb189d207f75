// The fixture of tests that kill the master at one of its points, and look at what its successor
// makes of it. Lines of the log show nothing there: a master that dies takes its line with it.
#pragma once

#include "shared/system/shared_table.h"
#include "tests/crash/crash_scene.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace chatserv::test {

class MasterPointScene : public CrashScene {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "this system has no keeper";
    }

    nlohmann::json stats() { return said_by({chatserv_path(), "stats", "--control", control()}); }
    nlohmann::json status() {
        return said_by(
            {chatserv_path(), "status", "--json", "--interval=0", "--control", control()});
    }
    nlohmann::json said_by(const std::vector<std::string>& command) {
        const Finished finished = run(loop_, {command});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        return nlohmann::json::parse(finished.output);
    }

    void wait_for_death(MasterPoint point) {
        loop_.wait_until([&] { return struck(point) && server_->count("another one starts") > 0; },
            "a death at the point");
    }
    // The counters, and what each user has received.
    void expect_exact_books() {
        const nlohmann::json said = stats();
        EXPECT_EQ(said["users"], joined_ - gone_) << said;
        EXPECT_EQ(said["accepted"], joined_) << said;
        EXPECT_EQ(said["left"]["end_of_file"], gone_) << said;
        EXPECT_EQ(said["turned_away"]["table_full"], refused_) << said;
        EXPECT_EQ(said["throttled"], throttled_) << said;
        for (std::size_t i = 0; i < people_.size(); ++i)
            EXPECT_EQ(people_[i].client->received(), people_[i].expected) << "user " << i;
    }

    std::uint64_t joined_ = 4;
    std::uint64_t gone_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t throttled_ = 0;
};

} // namespace chatserv::test
