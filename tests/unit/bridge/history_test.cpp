// What a host that is about to join keeps of the messages in front of its join.
#include "bridge/order/history.h"

#include "bridge/order/batch.h"

#include <gtest/gtest.h>
#include <string>

namespace chatserv {
namespace {

constexpr uint64_t bytes_max = 1000;

class HistoryTest : public testing::Test {
protected:
    void read(const std::string& message) { history.read(++number, message); }
    void join(Incarnation host) {
        read(written({.kind = MessageKind::join, .incarnation = host}));
        epoch = number;
    }
    // `from`: the outbound offset of the first byte.
    void say(Incarnation host, std::string_view text, uint64_t from) {
        Batch batch{.incarnation = host, .epoch = epoch, .from = from};
        batch.chunks = {{SlotId(1), 1, static_cast<uint32_t>(text.size()), from + text.size()}};
        batch.bytes = text;
        read(written(batch));
    }
    void want(HistoryAmount amount, uint64_t at_most = bytes_max) {
        history = History(amount, at_most);
        number = 0;
    }

    History history{{.lines = 3, .bytes = 0}, bytes_max};
    uint64_t number = 0;
    uint64_t epoch = 0;
};

TEST_F(HistoryTest, IsEmptyWhereNothingWasSaid) {
    EXPECT_EQ(history.text(), "");
    join(1);
    EXPECT_EQ(history.text(), "");
}

TEST_F(HistoryTest, HoldsTheLastLines) {
    join(1);
    say(1, "one\n", 0);
    EXPECT_EQ(history.text(), "one\n") << "the room begins with it";
    say(1, "two\nthree\n", 4);
    EXPECT_EQ(history.text(), "one\ntwo\nthree\n");
    say(1, "\n", 14);
    EXPECT_EQ(history.text(), "two\nthree\n\n");
    say(1, "half", 15);
    EXPECT_EQ(history.text(), "three\n\nhalf");
}

TEST_F(HistoryTest, HoldsTheLastBytes) {
    want({.lines = 0, .bytes = 5});
    join(1);
    say(1, "abc", 0);
    EXPECT_EQ(history.text(), "abc");
    say(1, "defghij", 3);
    EXPECT_EQ(history.text(), "fghij");
    say(1, "klm", 10);
    EXPECT_EQ(history.text(), "ijklm");
}

TEST_F(HistoryTest, HoldsNoMoreThanItMay) {
    want({.lines = 0, .bytes = 100}, 4);
    join(1);
    say(1, "abcdefgh", 0);
    EXPECT_EQ(history.text(), "efgh");
    want({.lines = 100, .bytes = 0}, 8);
    join(1);
    std::string all;
    for (int i = 0; i < 50; ++i) {
        const uint64_t from = all.size();
        all += "ab\n";
        say(1, "ab\n", from);
        EXPECT_LE(history.text().size(), 8U);
    }
    EXPECT_EQ(history.text(), "ab\nab\n");
}

TEST_F(HistoryTest, BeginsWithAWholeLineIfTheRoomIsOlder) {
    read("something before");
    join(1);
    say(1, "the end of a line\none\n", 0);
    EXPECT_EQ(history.text(), "one\n");
}

TEST_F(HistoryTest, HoldsWhatCountsAlone) {
    say(1, "before the first join\n", 0);
    join(1);
    say(1, "one\n", 0);
    say(1, "one\n", 0); // twice
    say(2, "two\n", 0);
    say(1, "four\n", 12); // too early
    read("no message of ours");
    join(2);
    say(1, "three\n", 0);
    EXPECT_EQ(history.text(), "two\nthree\n") << "the line in front may have begun before";
}

TEST_F(HistoryTest, TakesNoMessageTwice) {
    join(1);
    say(1, "one\n", 0);
    --number;
    say(1, "one\n", 0);
    say(1, "two\n", 4);
    EXPECT_EQ(history.text(), "one\ntwo\n");
}

TEST_F(HistoryTest, BeginsAgainBehindAGap) {
    join(1);
    say(1, "one\n", 0);
    ++number;
    say(1, "two\n", 4);
    EXPECT_EQ(history.text(), "") << "whether it counts is not known";
    join(1);
    say(1, "rest\nthree\n", 0);
    EXPECT_EQ(history.text(), "three\n");
}

TEST_F(HistoryTest, BeginsAgainWithAnotherStream) {
    join(1);
    say(1, "one\n", 0);
    say(1, "two\n", 4);
    number = 0;
    join(2);
    say(2, "three\n", 0);
    EXPECT_EQ(history.text(), "three\n");
}

} // namespace
} // namespace chatserv
