// The settings in the segment: a change is all or nothing.
#include "shared/segment/relay_settings.h"

#include <cstring>
#include <gtest/gtest.h>
#include <thread>

namespace chatserv {
namespace {

// Every word of it tells the number.
RelaySettings numbered(uint32_t number) {
    return {.stall_limit_ms = number,
        .hang_limit_ms = number,
        .min_drain_bytes = number,
        .slow_policy = SlowPolicy{number % 2},
        .max_rate_bytes = number,
        .idle_timeout_ms = number,
        .log_level = number % 5,
        .log_as_json = number % 2,
        .idle_changed_ns = number,
        .replay_bytes = number,
        .replay_lines = number};
}

bool is_whole(const RelaySettings& settings) {
    const RelaySettings expected = numbered(settings.stall_limit_ms);
    return std::memcmp(&settings, &expected, sizeof settings) == 0;
}

TEST(RelaySettings, TheLastOnesPutInForceAreThere) {
    SettingsControl control{};
    for (uint32_t number = 1; number < 10; ++number) {
        put_in_force(control, numbered(number));
        const auto settings = settings_in_force(control);
        ASSERT_TRUE(settings.has_value());
        EXPECT_TRUE(is_whole(*settings));
        EXPECT_EQ(settings->stall_limit_ms, number);
    }
}

// The master died after any of the stores but the last one.
TEST(RelaySettings, AHalfWrittenChangeIsNotInForce) {
    SettingsControl control{};
    put_in_force(control, numbered(7));
    SettingsControl next = control;
    put_in_force(next, numbered(8));
    for (size_t words = 0; words <= settings_words; ++words) {
        SettingsControl torn = control;
        std::memcpy(torn.copies[next.generation % 2], next.copies[next.generation % 2], words * 8);
        EXPECT_EQ(settings_in_force(torn)->stall_limit_ms, 7U);
        put_in_force(torn, numbered(9));
        EXPECT_TRUE(is_whole(*settings_in_force(torn)));
        EXPECT_EQ(settings_in_force(torn)->stall_limit_ms, 9U);
    }
}

TEST(RelaySettings, WhatNoMasterWritesIsNotTaken) {
    SettingsControl control{};
    RelaySettings wrong = numbered(1);
    wrong.log_level = 5;
    put_in_force(control, wrong);
    EXPECT_FALSE(settings_in_force(control).has_value());
}

TEST(RelaySettings, AReaderSeesWholeSettingsWhileTheyChange) {
    constexpr uint32_t last = 200'000;
    SettingsControl control{};
    put_in_force(control, numbered(1));
    std::thread master([&] {
        for (uint32_t number = 2; number <= last; ++number)
            put_in_force(control, numbered(number));
    });
    uint32_t latest = 1;
    bool whole = true;
    while (latest < last && whole) {
        const auto settings = settings_in_force(control);
        if (!settings)
            continue; // it changed a hundred times meanwhile
        whole = is_whole(*settings) && settings->stall_limit_ms >= latest;
        latest = settings->stall_limit_ms;
    }
    master.join();
    EXPECT_TRUE(whole);
}

} // namespace
} // namespace chatserv
