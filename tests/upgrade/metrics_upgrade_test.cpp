// The metrics process in an upgrade: one of the new program takes its place, at the same address,
// and no count goes down.
#include "tests/integration/metrics_test.h"
#include "tests/upgrade/upgrade_test.h"

#include <gmock/gmock.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class MetricsUpgradeTest : public MetricsTest {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "a server cannot be upgraded on this system";
    }

    void start_installed() {
        server_ = std::make_unique<Server>(loop_,
            ServerOptions{
                .more = {"--metrics", "127.0.0.1:0", "--workers", "2", "--control", socket()},
                .binary = installation_.chatserv()});
        note_address(server_->wait_for_line("metrics at "));
    }
    Finished upgrade() { return run(loop_, {{usual_version(), "upgrade", "--control", socket()}}); }
    void expect_version(const std::string& version) {
        EXPECT_THAT(metrics(), HasSubstr("chatserv_build_info{version=\"" + version + "\"} 1\n"));
    }

    Installation installation_{usual_version()};
};

TEST_F(MetricsUpgradeTest, IsOfTheNewProgram) {
    start_installed();
    const auto user = join();
    expect_version("0.1.0");
    for (std::size_t times = 1; times <= 4; ++times) {
        installation_.install(times % 2 == 1 ? other_version() : usual_version());
        const Finished finished = upgrade();
        EXPECT_EQ(finished.status, 0) << finished.errors;
        wait_for_another(times + 1);
        expect_version(times % 2 == 1 ? "0.2.0-test" : "0.1.0");
        EXPECT_EQ(sample("chatserv_accepted_total"), 1);
        EXPECT_EQ(sample("chatserv_upgrades_total"), static_cast<double>(times));
    }
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(MetricsUpgradeTest, ANewProgramWithoutItIsRefused) {
    start_installed();
    installation_.install(other_version());
    installation_.remove("chatserv-metrics");
    const Finished finished = upgrade();
    EXPECT_EQ(finished.status, 69); // EX_UNAVAILABLE
    EXPECT_THAT(finished.errors, HasSubstr("there is no chatserv-metrics that can be run"));
    expect_version("0.1.0");
    EXPECT_EQ(server_->count("metrics at "), 1U) << "nothing has ended";
    EXPECT_EQ(server_->stop(), 0);
}

// The former program returns, with its own metrics program, though that file is gone.
TEST_F(MetricsUpgradeTest, IsOfTheFormerProgramWhereThatReturns) {
    const std::string dying = version_with_dying_masters();
    if (dying.empty())
        GTEST_SKIP() << "this build has no such program";
    start_installed();
    installation_.install(dying);
    EXPECT_EQ(upgrade().status, 69); // EX_UNAVAILABLE
    installation_.remove("chatserv-metrics");
    const pid_t pid = metrics_pid();
    expect_version("0.1.0");
    const std::size_t starts = server_->count("metrics at ");
    ::kill(pid, SIGKILL);
    wait_for_another(starts + 1);
    expect_version("0.1.0");
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
