// Figures as people read them.
#include "master/commands/figures.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

TEST(FiguresTest, Bytes) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1024), "1.0 KiB");
    EXPECT_EQ(bytes_text(1536), "1.5 KiB");
    EXPECT_EQ(bytes_text(1024.0 * 1024 - 1), "1.0 MiB");
    EXPECT_EQ(bytes_text(20.0 * 1024 * 1024), "20.0 MiB");
    EXPECT_EQ(bytes_text(18446744073709551615.0), "16384.0 PiB");
}

TEST(FiguresTest, Rates) {
    EXPECT_EQ(rate_text(2048), "2.0 KiB/s");
    EXPECT_EQ(rate_text(std::nullopt), "-");
}

TEST(FiguresTest, Durations) {
    constexpr uint64_t second = 1000;
    constexpr uint64_t hour = 3600 * second;
    EXPECT_EQ(duration_text(0), "0 s");
    EXPECT_EQ(duration_text(59'999), "59 s");
    EXPECT_EQ(duration_text(60'000), "1 min");
    EXPECT_EQ(duration_text(hour - 1), "59 min");
    EXPECT_EQ(duration_text(3 * hour + 300 * second), "3 h 5 min");
    EXPECT_EQ(duration_text(47 * hour), "47 h 0 min");
    EXPECT_EQ(duration_text(52 * hour), "2 d 4 h");
}

TEST(FiguresTest, Times) {
    EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(time_text(1'700'000'000'999), "2023-11-14T22:13:20Z");
}

} // namespace
} // namespace chatserv
