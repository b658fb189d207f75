// Clients by their deadlines.
#include "tests/unit/ids.h"
#include "worker/limits/deadlines.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using AnyDeadlines = Deadlines<std::chrono::steady_clock>;
constexpr AnyDeadlines::time_point start{};
constexpr std::chrono::milliseconds ms{1};
constexpr ClientId a = client_id(0);
constexpr ClientId b = client_id(1);
constexpr ClientId a_again = client_id(0, 2);
using Clients = std::vector<ClientId>;

TEST(Deadlines, GiveThoseWhoseInstantHasComeOnceAndInOrder) {
    AnyDeadlines deadlines;
    EXPECT_TRUE(deadlines.empty());
    EXPECT_FALSE(deadlines.earliest().has_value());
    deadlines.set(a, start + 20 * ms);
    deadlines.set(b, start + 10 * ms);
    deadlines.set(a_again, start + 30 * ms);
    EXPECT_EQ(deadlines.earliest(), start + 10 * ms);
    EXPECT_EQ(deadlines.take_due(start + 9 * ms), Clients{});
    EXPECT_EQ(deadlines.take_due(start + 20 * ms), (Clients{b, a}));
    EXPECT_EQ(deadlines.take_due(start + 20 * ms), Clients{});
    EXPECT_EQ(deadlines.earliest(), start + 30 * ms);
    EXPECT_EQ(deadlines.take_due(start + 40 * ms), Clients{a_again});
    EXPECT_TRUE(deadlines.empty());
}

TEST(Deadlines, KnowTheLastInstantOfEachOnly) {
    AnyDeadlines deadlines;
    deadlines.set(a, start + 10 * ms);
    deadlines.set(a, start + 50 * ms);
    EXPECT_EQ(deadlines.take_due(start + 49 * ms), Clients{});
    deadlines.set(a, start + 30 * ms);
    EXPECT_EQ(deadlines.take_due(start + 49 * ms), Clients{a});
    EXPECT_TRUE(deadlines.empty());
}

TEST(Deadlines, ForgetWhoeverIsGone) {
    AnyDeadlines deadlines;
    deadlines.set(a, start + 10 * ms);
    deadlines.set(b, start + 10 * ms);
    deadlines.remove(a);
    deadlines.remove(a);
    deadlines.remove(a_again);
    EXPECT_EQ(deadlines.take_due(start + 10 * ms), Clients{b});
}

} // namespace
} // namespace chatserv
