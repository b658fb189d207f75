// The listeners of the load: what they count, and what they call an error.
#include "bench/load/receiver.h"

#include "bench/load/line.h"
#include "bench/load/marked_line.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chatserv::bench {
namespace {

constexpr size_t line_bytes = 61;
constexpr uint64_t numbers = 4;

class ReceiverTest : public testing::Test {
protected:
    explicit ReceiverTest(const char* protocol = "raw", uint64_t senders = 3) :
        framing_(*framing_for(protocol, line_bytes, 0)), expectations_{.framing = framing_,
                                                             .line_bytes = line_bytes,
                                                             .numbers = numbers,
                                                             .record_order = true,
                                                             .marked = true,
                                                             .latency = nullptr} {
        for (uint64_t sender = 0; sender < senders; ++sender) {
            std::string& stream = expectations_.streams.emplace_back();
            for (uint64_t number = 0; number < numbers; ++number)
                stream += message(sender, number);
        }
    }

    [[nodiscard]] std::string message(uint64_t sender, uint64_t number) const {
        return framing_.deliver_prefix + make_marked_line(line_bytes, sender, number) +
               framing_.deliver_suffix;
    }

    // Everything that a sender sends in its first `count` lines.
    [[nodiscard]] std::string lines(uint64_t sender, uint64_t count) const {
        std::string bytes;
        for (uint64_t number = 0; number < count; ++number)
            bytes += message(sender, number % numbers);
        return bytes;
    }

    // Gives the bytes to the receiver as a connection does, at most `bytes_max` at a time.
    void receive(Receiver& receiver, std::string_view bytes, size_t bytes_max = 1000) {
        while (!bytes.empty()) {
            carry_ += bytes.substr(0, bytes_max);
            bytes.remove_prefix(std::min(bytes_max, bytes.size()));
            const size_t rest = receiver.take(carry_, 0);
            carry_.erase(0, carry_.size() - rest);
            ASSERT_LE(carry_.size(), expectations_.message_bytes());
        }
    }

    static std::vector<std::pair<uint32_t, uint64_t>> order_of(const Receiver& receiver) {
        std::vector<std::pair<uint32_t, uint64_t>> order;
        for (const auto& run : receiver.order())
            order.emplace_back(run.sender, run.bytes);
        return order;
    }

    Framing framing_;
    Expectations expectations_;
    std::string carry_{};
};

using Order = std::vector<std::pair<uint32_t, uint64_t>>;

TEST_F(ReceiverTest, CountsWholeLinesOfSeveralSenders) {
    Receiver receiver(expectations_);
    receive(receiver, lines(0, 6) + lines(2, 1));
    EXPECT_EQ(receiver.error(), "");
    EXPECT_EQ(receiver.lines(), 7);
    EXPECT_EQ(receiver.lines_of(0), 6);
    EXPECT_EQ(receiver.lines_of(2), 1);
    EXPECT_EQ(receiver.torn_lines(), 0);
    EXPECT_EQ(order_of(receiver), (Order{{0, 6 * line_bytes}, {2, line_bytes}}));
}

TEST_F(ReceiverTest, CountsALineThatIsCutAnywhereAsTorn) {
    for (size_t cut = 1; cut < line_bytes; ++cut)
        for (const size_t bytes_max : {size_t{1}, size_t{7}, size_t{1000}}) {
            Receiver receiver(expectations_);
            const std::string torn = lines(0, 2);
            receive(receiver, torn.substr(0, line_bytes + cut), bytes_max);
            receive(receiver, lines(1, 3), bytes_max);
            receive(receiver, torn.substr(line_bytes + cut), bytes_max);
            EXPECT_EQ(receiver.error(), "") << "cut at " << cut;
            EXPECT_EQ(receiver.lines(), 5) << "cut at " << cut;
            EXPECT_EQ(receiver.torn_lines(), 1) << "cut at " << cut;
            EXPECT_EQ(order_of(receiver),
                (Order{{0, line_bytes + cut}, {1, 3 * line_bytes}, {0, line_bytes - cut}}))
                << "cut at " << cut;
        }
}

TEST_F(ReceiverTest, CountsALineThatIsCutTwiceOnce) {
    Receiver receiver(expectations_);
    const std::string torn = lines(0, 1);
    receive(receiver,
        torn.substr(0, 10) + lines(1, 1) + torn.substr(10, 10) + lines(2, 1) + torn.substr(20));
    EXPECT_EQ(receiver.error(), "");
    EXPECT_EQ(receiver.lines(), 3);
    EXPECT_EQ(receiver.torn_lines(), 1);
}

TEST_F(ReceiverTest, GivesAnEndOfLineToTheSenderThatGoesOn) {
    for (const size_t goes_on : {size_t{0}, size_t{1}})
        for (const size_t bytes_max : {size_t{1}, size_t{1000}}) {
            Receiver receiver(expectations_);
            const std::string bytes[]{lines(0, 2), lines(1, 2)};
            // Both lines lack nothing but their ends.
            receive(receiver,
                bytes[0].substr(0, line_bytes - 1) + bytes[1].substr(0, line_bytes - 1), bytes_max);
            receive(receiver, bytes[goes_on].substr(line_bytes - 1), bytes_max);
            receive(receiver, bytes[1 - goes_on].substr(line_bytes - 1), bytes_max);
            EXPECT_EQ(receiver.error(), "");
            EXPECT_EQ(receiver.lines(), 4);
            // The second line is torn only if the first one's sender goes on.
            EXPECT_EQ(receiver.torn_lines(), goes_on == 0 ? 2 : 1);
        }
}

TEST_F(ReceiverTest, PutsAnyMixtureOfPiecesTogetherAgain) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto up_to = [&](size_t most) {
        return std::uniform_int_distribution<size_t>(2, most)(random);
    };
    constexpr uint64_t count = 200;
    std::vector<std::string> left;
    for (uint64_t sender = 0; sender < 3; ++sender)
        left.push_back(lines(sender, count));
    std::string mixture;
    Order expected;
    while (std::ranges::any_of(left, [](const std::string& rest) { return !rest.empty(); })) {
        const auto sender = static_cast<uint32_t>(up_to(4) - 2);
        const std::string piece = left[sender].substr(0, up_to(3 * line_bytes));
        if (piece.empty() || left[sender].size() - piece.size() == 1)
            continue; // a piece that is an end of line alone may be taken for another sender's
        left[sender].erase(0, piece.size());
        mixture += piece;
        if (!expected.empty() && expected.back().first == sender)
            expected.back().second += piece.size();
        else
            expected.emplace_back(sender, piece.size());
    }
    Receiver receiver(expectations_);
    receive(receiver, mixture, up_to(300));
    EXPECT_EQ(receiver.error(), "");
    EXPECT_EQ(receiver.lines(), 3 * count);
    EXPECT_GT(receiver.torn_lines(), 0);
    EXPECT_EQ(order_of(receiver), expected);
}

TEST_F(ReceiverTest, FindsALostARepeatedAndADamagedByteAlsoInATornLine) {
    for (const bool torn : {false, true})
        for (size_t at = 0; at < line_bytes; ++at) {
            std::string lost = lines(0, 2);
            lost.erase(at, 1);
            std::string repeated = lines(0, 2);
            repeated.insert(at, 1, repeated[at]);
            std::string damaged = lines(0, 2);
            damaged[at] = static_cast<char>(damaged[at] ^ 1);
            for (std::string& bytes : std::array{lost, repeated, damaged}) {
                if (torn)
                    bytes.insert(line_bytes / 2, lines(1, 1));
                Receiver receiver(expectations_);
                receive(receiver, bytes + lines(2, 2));
                EXPECT_TRUE(!receiver.error().empty() || receiver.lines_of(0) != 2)
                    << "at " << at << ", torn: " << torn;
            }
        }
}

TEST_F(ReceiverTest, FindsALostLine) {
    Receiver receiver(expectations_);
    receive(receiver, lines(0, 1) + message(0, 2));
    EXPECT_NE(receiver.error(), "");
}

TEST_F(ReceiverTest, CountsNoProbe) {
    Receiver receiver(expectations_);
    receive(receiver, make_marked_line(line_bytes, 3, 17) + lines(0, 1));
    EXPECT_EQ(receiver.error(), "");
    EXPECT_EQ(receiver.probe(), 17);
    EXPECT_EQ(receiver.lines(), 1);
}

class FramedReceiverTest : public ReceiverTest {
protected:
    FramedReceiverTest() : ReceiverTest("redis") {}
};

TEST_F(FramedReceiverTest, CountsWholeMessages) {
    Receiver receiver(expectations_);
    receive(receiver, lines(0, 5) + lines(1, 1));
    EXPECT_EQ(receiver.error(), "");
    EXPECT_EQ(receiver.lines(), 6);
}

TEST_F(FramedReceiverTest, CallsATornMessageAnError) {
    Receiver receiver(expectations_);
    std::string bytes = lines(0, 1);
    bytes.insert(40, lines(1, 1));
    receive(receiver, bytes);
    EXPECT_NE(receiver.error(), "");
}

TEST(MarkedLineTest, EveryByteButTheLastTellsItsSender) {
    for (uint64_t sender = 0; sender <= marked_senders_max; ++sender)
        for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{2730}, uint64_t{4095}}) {
            const std::string line = make_marked_line(line_bytes, sender, number);
            EXPECT_EQ(line.size(), line_bytes);
            EXPECT_EQ(line.find('\n'), line_bytes - 1);
            EXPECT_EQ(number_of(line.data()), number);
            for (const char byte : std::string_view(line).substr(0, line_bytes - 1))
                EXPECT_EQ(sender_of(byte), sender);
        }
}

} // namespace
} // namespace chatserv::bench
