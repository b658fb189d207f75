// The fixture of the keeper's tests: a server with stand-in masters.
#pragma once

#include "shared/system/shared_table.h"
#include "tests/unit/master/keeper/stand_in_server.h"

#include <chrono>
#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <thread>

namespace chatserv {

inline constexpr uint32_t repetitions = 50;

class KeeperTest : public testing::Test {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "this system has no keeper";
    }

    void start(const StandInServer::Setting& setting = {}) {
        server_ = std::make_unique<StandInServer>(setting);
        ASSERT_TRUE(server_->wait_for_master(1));
    }

    // A moment that differs each time, so that a kill meets the processes anywhere.
    void pass_a_moment() {
        std::this_thread::sleep_for(std::chrono::microseconds(random_() % 3000));
    }

    void expect_end(int status) {
        EXPECT_EQ(server_->wait_for_end(), std::optional(status));
        EXPECT_TRUE(StandInServer::comes_true([this] { return server_->all_gone(); }));
    }

    void stop_in_order() {
        ::kill(server_->keeper(), SIGTERM);
        expect_end(final_status);
        EXPECT_EQ(server_->acted(SIGTERM), 1U);
        EXPECT_EQ(server_->stage().lost, 0U);
    }

    bool comes_true(const std::function<bool()>& condition) {
        return StandInServer::comes_true(condition);
    }

    const unsigned seed_ = std::random_device()();
    testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
    std::minstd_rand random_{seed_};
    std::unique_ptr<StandInServer> server_;
};

} // namespace chatserv
