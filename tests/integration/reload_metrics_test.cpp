// What a reload is to the metrics process: another limit that it shows, or another log.
#include "tests/integration/metrics_test.h"

#include "shared/system/shared_table.h"

#include <fstream>
#include <gmock/gmock.h>

namespace chatserv::test {
namespace {

using testing::StartsWith;

class ReloadMetricsTest : public MetricsTest {
protected:
    [[nodiscard]] std::string config() const { return folder_.path().string() + "/chatserv.conf"; }
    void configure(const std::string& text) const { std::ofstream(config()) << text; }
    void reload(const std::string& text) {
        configure(text);
        const Finished finished = run(loop_, {{chatserv_path(), "reload", "--control", socket()}});
        EXPECT_EQ(finished.status, 0) << finished.errors;
    }
};

TEST_F(ReloadMetricsTest, ShowsHowManyUsersThereCanBe) {
    configure("users = 5\n");
    start_with_metrics({"--config", config()});
    wait_for_sample("chatserv_users_max", 5);
    reload("users = 3\n");
    wait_for_sample("chatserv_users_max", 3);
    EXPECT_EQ(server_->count("metrics at "), 1U) << "its log is the same";
    if (can_share_descriptors()) {
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(" carries on, with 0 users");
        wait_for_sample("chatserv_users_max", 3);
    }
    reload("users = 5\n");
    wait_for_sample("chatserv_users_max", 5);
    EXPECT_EQ(server_->count("metrics at "), 1U);
    EXPECT_EQ(server_->stop(), 0);
}

// At the same address, whose socket is the server's.
TEST_F(ReloadMetricsTest, GetsTheNewFormatOfTheLog) {
    configure("");
    start_with_metrics({"--config", config()});
    const pid_t first = metrics_pid();
    reload("log-format = json\n");
    EXPECT_NE(wait_for_another(2), first);
    EXPECT_TRUE(comes_true([&] { return get("/healthz").starts_with("HTTP/1.1 200"); }));
    EXPECT_FALSE(is_alive(first));
    EXPECT_EQ(server_->count("the metrics process (pid "), 0U) << "it has not died by itself";
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
