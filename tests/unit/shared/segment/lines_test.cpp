// Lines: where a line ends, which are cut, and what a chunk becomes in the log.
#include "shared/segment/lines.h"

#include <gtest/gtest.h>
#include <random>
#include <string>

namespace chatserv {
namespace {

constexpr uint32_t limit = line_bytes_min;

FramingSettings settings(LineEnd end = LineEnd::keep) {
    return {.framing = Framing::line, .line_bytes_max = limit, .line_end = end};
}

std::string in_log(const Lines& lines, const std::string& chunk, const std::string& prefix = "") {
    const size_t log_bytes = lines.log_bytes(chunk, prefix.size());
    std::string text;
    lines.for_each_piece(chunk, prefix, log_bytes, [&](std::string_view piece) { text += piece; });
    EXPECT_EQ(text.size(), log_bytes);
    return text;
}

size_t whole_bytes(const Lines& lines, const std::string& bytes, bool is_all = false) {
    return lines.whole(bytes, is_all, 0, {.bytes = bytes.size(), .log_bytes = 1000}).bytes;
}

TEST(Lines, AreWholeUpToTheLastEnd) {
    const Lines lines(settings());
    EXPECT_EQ(whole_bytes(lines, ""), 0U);
    EXPECT_EQ(whole_bytes(lines, "unfinished"), 0U);
    EXPECT_EQ(whole_bytes(lines, "unfinished\r"), 0U);
    EXPECT_EQ(whole_bytes(lines, "one\ntwo\r\n\nthr"), 10U);
    EXPECT_EQ(whole_bytes(lines, "one\ntwo", true), 7U) << "the rest of a client that leaves";
}

TEST(Lines, AreTakenUpToALimitButOneAtLeast) {
    const Lines lines(settings());
    const std::string bytes = "one\ntwo\nthree\n";
    EXPECT_EQ(lines.whole(bytes, false, 0, {.bytes = 1, .log_bytes = 1000}).bytes, 4U);
    EXPECT_EQ(lines.whole(bytes, false, 0, {.bytes = 8, .log_bytes = 1000}).bytes, 8U);
    EXPECT_EQ(lines.whole(bytes, false, 0, {.bytes = 13, .log_bytes = 1000}).bytes, 8U);
    EXPECT_EQ(lines.whole(bytes, false, 0, {.bytes = 14, .log_bytes = 9}).bytes, 8U);
    EXPECT_EQ(lines.whole(bytes, false, 3, {.bytes = 14, .log_bytes = 9}).bytes, 4U)
        << "their prefixes count in the log";
}

TEST(Lines, AreCutWhenTheirContentIsTooLong) {
    const Lines lines(settings());
    const std::string longest(limit, 'x');
    EXPECT_EQ(in_log(lines, longest + "\n"), longest + "\n") << "the end does not count";
    EXPECT_EQ(in_log(lines, longest + "\r\n"), longest + "\r\n");
    EXPECT_EQ(in_log(lines, longest + "y\n"), longest + "\ny\n");
    EXPECT_EQ(in_log(lines, longest + longest + "y\n"), longest + "\n" + longest + "\ny\n");
    EXPECT_EQ(in_log(lines, longest + "\ry\n"), longest + "\n\ry\n");

    EXPECT_EQ(whole_bytes(lines, longest), 0U) << "its end may be the next byte";
    EXPECT_EQ(whole_bytes(lines, longest + "\r"), 0U);
    EXPECT_EQ(whole_bytes(lines, longest + "y"), limit);
    EXPECT_EQ(whole_bytes(lines, longest + "\ry"), limit);
    constexpr Lines::Limits none{.bytes = 1000, .log_bytes = 1000};
    EXPECT_EQ(lines.whole(longest + longest + "y\n", false, 0, none).cuts, 2U);
    EXPECT_EQ(lines.whole(longest + "\n", false, 0, none).cuts, 0U);
}

TEST(Lines, EndInTheLogWhateverTheirClientSent) {
    EXPECT_EQ(in_log(Lines(settings()), "a\r\nb\n\r\n\nrest"), "a\r\nb\n\r\n\nrest\n");
    EXPECT_EQ(in_log(Lines(settings(LineEnd::lf)), "a\r\nb\n\r\n\nrest"), "a\nb\n\n\nrest\n");
    EXPECT_EQ(in_log(Lines(settings(LineEnd::lf)), "a\rb\r\r\n"), "a\rb\r\n")
        << "a carriage return elsewhere is content";
}

TEST(Lines, BeginWithThePrefix) {
    const Lines lines(settings());
    EXPECT_EQ(in_log(lines, "a\n\nb", "who: "), "who: a\nwho: \nwho: b\n");
    EXPECT_EQ(in_log(lines, std::string(limit + 1, 'x'), "w: "),
        "w: " + std::string(limit, 'x') + "\nw: x\n");
}

TEST(Lines, BecomeTheSameHoweverTheBytesWereCut) {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        std::mt19937 random(seed);
        std::string sent;
        while (sent.size() < 300)
            sent += "\n\r\nabcdefgh"[random() % 11];
        const Lines lines(settings(random() % 2 == 0 ? LineEnd::keep : LineEnd::lf));
        std::string waiting;
        std::string published;
        for (size_t at = 0; at < sent.size();) {
            const size_t piece = 1 + random() % 40;
            waiting += sent.substr(at, piece);
            at += piece;
            const auto whole = lines.whole(
                waiting, at >= sent.size(), 2, {.bytes = 1 + random() % 60, .log_bytes = 200});
            if (whole.bytes == 0)
                continue;
            EXPECT_EQ(lines.log_bytes({waiting.data(), whole.bytes}, 2), whole.log_bytes);
            published += in_log(lines, waiting.substr(0, whole.bytes), "p:");
            waiting.erase(0, whole.bytes);
        }
        published += in_log(lines, waiting, "p:");
        ASSERT_EQ(published, in_log(lines, sent, "p:")) << "seed " << seed;
    }
}

TEST(Lines, NoneBecomesMoreThanTheLongest) {
    const Lines lines(settings());
    const std::string line(limit, 'x');
    EXPECT_LE(lines.log_bytes(line + "\r\n", prefix_bytes_max), lines.longest_log_bytes());
    EXPECT_EQ(lines.log_bytes(line + "\r", prefix_bytes_max), lines.longest_log_bytes())
        << "cut at its last byte, which is a line of its own";
}

TEST(Lines, AreCutOnlyWithinWhatTheLogCanHold) {
    FramingSettings framing = settings();
    EXPECT_TRUE(are_possible(framing, log_bytes_min));
    framing.line_bytes_max = static_cast<uint32_t>(log_bytes_min / 8);
    EXPECT_TRUE(are_possible(framing, log_bytes_min));
    ++framing.line_bytes_max;
    EXPECT_FALSE(are_possible(framing, log_bytes_min));
    EXPECT_TRUE(are_possible(framing, 2 * log_bytes_min));
    framing.line_bytes_max = line_bytes_max + 1;
    EXPECT_FALSE(are_possible(framing, log_bytes_max));
    framing.line_bytes_max = line_bytes_min - 1;
    EXPECT_FALSE(are_possible(framing, log_bytes_max));
    EXPECT_TRUE(are_possible({.line_bytes_max = 0}, log_bytes_max)) << "without lines";
    EXPECT_FALSE(are_possible({.line_bytes_max = 0, .prefix = Prefix::name}, log_bytes_max));
    EXPECT_FALSE(are_possible({.line_bytes_max = 16}, log_bytes_max));
}

} // namespace
} // namespace chatserv
