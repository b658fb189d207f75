// Events that are kept for programs, beside the log.
#include "shared/system/logging.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chatserv {
namespace {

using nlohmann::json;

class KeptEventsTest : public testing::Test {
protected:
    KeptEventsTest() { set_up_logging("master", "off", LogFormat::text); }
    ~KeptEventsTest() override {
        keep_events(false);
        (void)take_kept_events();
    }
    KeptEventsTest(const KeptEventsTest&) = delete;
    KeptEventsTest& operator=(const KeptEventsTest&) = delete;
};

TEST_F(KeptEventsTest, AreObjectsWhateverTheLogIs) {
    keep_events(true);
    log_info("joined", "user 1 joined", {{"slot", 1}});
    log_debug("moved", "not kept");
    log_error("left", "user 1 left");
    const KeptEvents kept = take_kept_events();
    ASSERT_EQ(kept.lines.size(), 2U);
    EXPECT_EQ(kept.lost, 0U);
    json first = json::parse(kept.lines[0]);
    EXPECT_EQ(first["time"].get<std::string>().size(), 24U);
    first.erase("time");
    EXPECT_EQ(first, json::parse(R"({"level":"info","process":"master","message":"user 1 joined",
        "event":"joined","slot":1})"));
    EXPECT_EQ(json::parse(kept.lines[1])["level"], "error");
    EXPECT_TRUE(take_kept_events().lines.empty());
}

TEST_F(KeptEventsTest, AreNotKeptUnlessSomebodyAsks) {
    log_info("joined", "before");
    keep_events(true);
    keep_events(false);
    log_info("joined", "after");
    EXPECT_TRUE(take_kept_events().lines.empty());
}

TEST_F(KeptEventsTest, AreBounded) {
    keep_events(true);
    constexpr size_t many = 10'000;
    for (size_t i = 0; i < many; ++i)
        log_info("joined", "user joined");
    const KeptEvents kept = take_kept_events();
    size_t bytes = 0;
    for (const std::string& line : kept.lines)
        bytes += line.size();
    EXPECT_LE(bytes, kept_bytes_max);
    EXPECT_GT(bytes, kept_bytes_max / 2);
    EXPECT_EQ(kept.lines.size() + kept.lost, many);
    log_info("joined", "user joined");
    EXPECT_EQ(take_kept_events().lines.size(), 1U) << "there is room again";
}

} // namespace
} // namespace chatserv
