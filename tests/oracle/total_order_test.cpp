// The merge that decides R3, on orders written out by hand.
#include "tests/oracle/total_order.h"

#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

// a before b, b before c, c before a: any two receivers agree, all three do not. Each receiver is
// one of the senders, as then it has no opinion on its own bytes.
TEST(TotalOrderTest, FindsThreeReadersThatDisagree) {
    const auto section = [](unsigned own, unsigned first, unsigned second) {
        Section made{"client " + std::to_string(own), own, {{first, 0, 5}, {second, 0, 5}}, {}};
        made.windows[first] = made.windows[second] = Window{0, 5};
        return made;
    };
    std::array<std::uint64_t, senders_max> totals{};
    totals[0] = totals[1] = totals[2] = 5;
    const Section a_then_b = section(2, 0, 1);
    const Section b_then_c = section(0, 1, 2);
    const Section c_then_a = section(1, 2, 0);
    const Section a_then_c = section(1, 0, 2);
    EXPECT_TRUE(find_disagreement({a_then_b, b_then_c, c_then_a}, totals));
    EXPECT_FALSE(find_disagreement({a_then_b, b_then_c, a_then_c}, totals));
    EXPECT_FALSE(find_disagreement({a_then_b, b_then_c}, totals));
    EXPECT_FALSE(find_disagreement({b_then_c, c_then_a}, totals));
    EXPECT_FALSE(find_disagreement({a_then_b, c_then_a}, totals));
}

// A section is contiguous: a receiver that joined after one byte and before another fixes their
// order too.
TEST(TotalOrderTest, FindsAJoinAtTwoPlacesAtOnce) {
    std::array<std::uint64_t, senders_max> totals{};
    totals[0] = totals[1] = 10;
    Section whole{"whole", {}, {{0, 0, 10}, {1, 0, 10}}, {}};
    whole.windows[0] = whole.windows[1] = Window{0, 10};
    // It has the end of stream 0, so it joined before that; then all of stream 1 is due to it.
    Section late{"late", {}, {{0, 5, 5}, {1, 5, 5}}, {}};
    late.windows[0] = late.windows[1] = Window{5, 10};
    EXPECT_TRUE(find_disagreement({whole, late}, totals));
    late.runs = {{0, 5, 5}, {1, 0, 10}};
    late.windows[1] = Window{0, 10};
    EXPECT_FALSE(find_disagreement({whole, late}, totals));
}

// R5: end of file comes after the bytes of its sender.
TEST(TotalOrderTest, FindsEndOfFileBeforeOwnBytes) {
    std::array<std::uint64_t, senders_max> totals{};
    totals[0] = totals[1] = 10;
    Section whole{"whole", {}, {{1, 0, 10}, {0, 0, 10}}, {}};
    whole.windows[0] = whole.windows[1] = Window{0, 10};
    Section leaver{"leaver", 0U, {{1, 0, 5}}, {}, true};
    leaver.windows[1] = Window{0, 5};
    EXPECT_TRUE(find_disagreement({whole, leaver}, totals));
    leaver.own_bytes_precede_end = false;
    EXPECT_FALSE(find_disagreement({whole, leaver}, totals));
}

} // namespace
} // namespace chatserv::test
