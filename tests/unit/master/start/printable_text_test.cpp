// The text that may appear in a line of the log or of standard error.
#include "shared/system/printable_text.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

TEST(PrintableText, IsUtf8) {
    for (const char* const text : {"", "plain ~", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
             "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xc2\xa0"}) {
        EXPECT_TRUE(is_printable(text)) << text;
        EXPECT_EQ(as_one_line(text), text);
    }
}

TEST(PrintableText, EscapesAllOtherBytes) {
    const std::pair<std::string, std::string> cases[] = {
        {"a\nb\tc\x1b[0m\x7f", "a?b?c?[0m?"},
        {std::string("\0", 1), "?"},
        {"caf\xe9!", "caf?!"}, // Latin-1
        {"\xc3", "?"},
        {"\xe2\x82", "??"}, // cut off
        {"\xc0\xaf", "??"},
        {"\xe0\x80\xaf", "???"},      // longer than need be
        {"\xed\xa0\x80", "???"},      // half of a UTF-16 pair
        {"\xf4\x90\x80\x80", "????"}, // beyond Unicode
        {"\xf8\x88\x80\x80\x80", "?????"},
        {"\xff\xfe", "??"},
        {"\xc2\x85", "??"},      // U+0085, next line
        {"\xe2\x80\xa8", "???"}, // U+2028, line separator
        {"a\xe2\x80\xae"
         "b",
            "a???b"}, // U+202E, right to left from here on
        {"\x80", "?"},
    };
    for (const auto& [text, line] : cases) {
        EXPECT_FALSE(is_printable(text)) << line;
        EXPECT_EQ(as_one_line(text), line);
        EXPECT_TRUE(is_printable(as_one_line(text)));
    }
}

TEST(PrintableText, IsCutBetweenCharacters) {
    const std::string_view text = "a\xe2\x82\xac"; // a, U+20AC
    EXPECT_EQ(beginning_of(text, 0), "");
    EXPECT_EQ(beginning_of(text, 1), "a");
    EXPECT_EQ(beginning_of(text, 3), "a");
    EXPECT_EQ(beginning_of(text, 4), text);
    EXPECT_EQ(beginning_of(text, 100), text);
    EXPECT_EQ(beginning_of("\x80\x80", 1), "") << "bytes that are no text are cut all the same";
}

} // namespace
} // namespace chatserv
