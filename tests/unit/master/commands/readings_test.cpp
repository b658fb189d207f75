// Rates: what two readings of a server say of the time between them.
#include "master/commands/readings.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using nlohmann::ordered_json;

UserReading user(uint32_t slot, uint32_t generation, uint64_t bytes, int64_t clock_ms) {
    return {.slot = slot,
        .generation = generation,
        .bytes_in = bytes,
        .bytes_out = 10 * bytes,
        .clock_ms = clock_ms};
}

TEST(ReadingsTest, RatesOfUsersThatWereThereBefore) {
    std::vector<UserReading> now{user(0, 1, 300, 2500), user(1, 2, 300, 2500), user(2, 1, 7, 2500)};
    set_rates(now, {user(0, 1, 100, 500), user(1, 1, 100, 500)});
    EXPECT_EQ(now[0].in_rate, 100);
    EXPECT_EQ(now[0].out_rate, 1000);
    EXPECT_FALSE(now[1].in_rate) << "another user has the slot now";
    EXPECT_FALSE(now[2].in_rate);
}

TEST(ReadingsTest, NoRateWithoutTimeOrOfAnotherServer) {
    std::vector<UserReading> now{user(0, 1, 300, 500), user(1, 1, 50, 900)};
    set_rates(now, {user(0, 1, 100, 500), user(1, 1, 100, 500)});
    EXPECT_FALSE(now[0].in_rate);
    EXPECT_FALSE(now[1].in_rate);
    EXPECT_EQ(json_of(now[0])["in_rate"], nullptr);
}

TEST(ReadingsTest, RatesOfTheServer) {
    ordered_json now{{"clock_ms", 3000}, {"bytes_in", 5000}, {"bytes_out", 9000}};
    set_rates(now, ordered_json{{"clock_ms", 1000}, {"bytes_in", 1000}, {"bytes_out", 1000}});
    EXPECT_EQ(now["in_rate"], 2000);
    EXPECT_EQ(now["out_rate"], 4000);
    set_rates(now, ordered_json{{"clock_ms", 3000}});
    EXPECT_EQ(now["in_rate"], nullptr);
}

} // namespace
} // namespace chatserv
