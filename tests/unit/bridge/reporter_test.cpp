// What the bridge reports, and what a successor goes on from.
#include "bridge/reporter.h"
#include "tests/unit/bridge/simulated_engine.h"
#include "tests/unit/bridge/simulated_host.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <iterator>

namespace chatserv::test {
namespace {

class ReporterTest : public testing::Test {
protected:
    void run() {
        for (int i = 0; i < 4; ++i) {
            (void)host.turn(now);
            for (std::string& message : stream.under_way)
                stream.messages.push_back(std::move(message));
            stream.under_way.clear();
        }
    }

    Exchange::Time now = Exchange::Time() + std::chrono::hours(1);
    SimulatedStream stream;
    SimulatedEngine engine{stream};
    SimulatedHost host{7, engine};
    RoomReport report{};
};

TEST_F(ReporterTest, ReportsHowTheRoomIs) {
    Reporter reporter(report);
    EXPECT_FALSE(reporter.former());
    const RoomCondition condition{
        .state = LinkState::waiting, .since_ms = 77, .trouble = "no\nanswer"};
    reporter.report(condition, host.exchange());
    EXPECT_EQ(report.link, static_cast<uint32_t>(LinkState::waiting));
    EXPECT_EQ(report.link_since_ms, 77U);
    EXPECT_STREQ(report.trouble, "no?answer");
    EXPECT_EQ(Reporter(report).former(),
        (RoomCondition{.state = LinkState::waiting, .since_ms = 77, .trouble = "no?answer"}));
    reporter.report({.state = LinkState::delivering, .since_ms = 78}, host.exchange());
    EXPECT_STREQ(report.trouble, "");
}

TEST_F(ReporterTest, CutsATextThatIsTooLong) {
    Reporter reporter(report);
    reporter.report({.since_ms = 1, .trouble = std::string(1000, 'x')}, host.exchange());
    EXPECT_EQ(std::string(report.trouble), std::string(sizeof report.trouble - 1, 'x'));
}

TEST_F(ReporterTest, CountsOnFromAPredecessor) {
    report.messages = 10;
    report.repeated = 20;
    report.published_again = 30;
    Reporter reporter(report);
    host.say("a");
    run();
    reporter.report({.since_ms = 1}, host.exchange());
    EXPECT_EQ(report.messages, 11U);
    EXPECT_EQ(report.repeated, 20U);
    EXPECT_EQ(report.applied_number, stream.last());
    stream.messages.push_back(stream.messages.back()); // comes twice
    host.say("b");
    (void)host.turn(now);
    stream.under_way.clear(); // is lost
    now += Publication::pause_min;
    run();
    reporter.report({.since_ms = 1}, host.exchange());
    EXPECT_EQ(host.log, "ab");
    EXPECT_EQ(report.messages, 12U);
    EXPECT_EQ(report.repeated, 21U);
    EXPECT_EQ(report.published_again, 31U);
}

TEST_F(ReporterTest, KeepsTheLoss) {
    Reporter reporter(report);
    EXPECT_EQ(reporter.loss(), OrderLoss::none);
    reporter.report_loss(OrderLoss::vanished);
    EXPECT_EQ(Reporter(report).loss(), OrderLoss::vanished);
}

TEST_F(ReporterTest, BelievesNothingImpossible) {
    report.link = 99;
    report.loss = 99;
    report.link_since_ms = 1;
    EXPECT_FALSE(Reporter(report).former());
    EXPECT_EQ(Reporter(report).loss(), OrderLoss::none);
    report.link = 0;
    std::fill(std::begin(report.trouble), std::end(report.trouble), 'x');
    EXPECT_EQ(Reporter(report).former()->trouble.size(), sizeof report.trouble);
}

} // namespace
} // namespace chatserv::test
