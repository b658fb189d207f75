// Where a host begins: with what was said before it came, if that is wanted, and where hosts see to
// it that others can.
#include "tests/unit/bridge/exchange_test.h"

#include <algorithm>

namespace chatserv::test {
namespace {

TEST_F(ExchangeTest, BeginsAnotherEpochWhenOneIsLong) {
    SimulatedEngine busy_engine(stream);
    SimulatedHost busy(8, busy_engine, 16, {.epoch_bytes_max = 500});
    const auto run_busy = [&] {
        EXPECT_EQ(busy.turn(now).loss, OrderLoss::none);
        deliver();
    };
    while (!busy.exchange().order().joined())
        run_busy();
    const uint64_t first = busy.exchange().order().state().epoch;
    for (int i = 0; i < 8; ++i) {
        busy.say("0123456789abcdef");
        run_busy();
    }
    while (!busy.all_counted())
        run_busy();
    EXPECT_GT(busy.exchange().order().state().epoch, first);
    EXPECT_EQ(busy.log, busy.outbound);
    const auto joins = std::ranges::count_if(stream.messages,
        [](const std::string& message) { return read_batch(message)->kind == MessageKind::join; });
    EXPECT_LE(joins, 3) << "one for each epoch";
}

// A host that looks back has joined, and the stream has more than it is delivered in a turn.
class HistoryOfExchangeTest : public ExchangeTest {
protected:
    HistoryOfExchangeTest() {
        while (!host.exchange().order().joined())
            (void)run();
        for (int i = 0; i < 3 * Exchange::deliveries_per_turn; ++i) {
            host.say("line\n");
            (void)run();
        }
        while (!host.all_counted())
            (void)run();
    }

    SimulatedEngine late_engine{stream};
    SimulatedHost late{
        9, late_engine, 16, {.history = {.lines = 2, .bytes = 0}, .history_bytes_max = 100}};
};

TEST_F(HistoryOfExchangeTest, IsThereWithTheJoin) {
    while (!late.exchange().order().joined()) {
        EXPECT_EQ(late.log, "");
        (void)late.turn(now);
        deliver();
    }
    EXPECT_EQ(late.log, "line\nline\n");
}

TEST_F(HistoryOfExchangeTest, IsReadWithoutSayingTheJoinAgain) {
    (void)late.turn(now);
    ASSERT_EQ(stream.under_way.size(), 1U) << "the join";
    now += Exchange::join_pause;
    (void)late.turn(now);
    EXPECT_EQ(stream.under_way.size(), 1U) << "it may be behind what comes";
    EXPECT_EQ(late.exchange().waiting_since(), now) << "nobody has to be told that it waits";
    lose();
    while (late.turn(now).more) {
    }
    now += Exchange::join_pause;
    (void)late.turn(now);
    EXPECT_EQ(stream.under_way.size(), 1U) << "nothing comes any more";
}

TEST_F(HistoryOfExchangeTest, EndsWithTheJoinHoweverLong) {
    (void)late.turn(now);
    lose();
    now += Exchange::join_pause_max;
    (void)late.turn(now);
    EXPECT_EQ(stream.under_way.size(), 1U) << "the join";
}

} // namespace
} // namespace chatserv::test
