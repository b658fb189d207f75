// Streams as lines: what was written is read again, and a server that mixes lines is found out.
#include "tests/oracle/line_wire.h"

#include "tests/oracle/stream_code.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

TEST(LineWire, BringsTheBytesAndCountsThem) {
    const StreamCode code(7);
    LineWriter writer(7);
    const std::string text = writer.text_of(code.bytes(3, 0, 500)) +
                             writer.text_of(code.bytes(3, 500, 500)) + writer.end();
    EXPECT_EQ(writer.bytes_in(text.size()), 1000U);
    EXPECT_EQ(writer.bytes_in(0), 0U);
    std::string cut; // as a server cuts
    std::size_t length = 0;
    for (const char letter : text) {
        if (length == wire_line_max && letter != '\r' && letter != '\n') {
            cut += '\n';
            length = 0;
        }
        cut += letter;
        length = letter == '\n' ? 0 : length + 1;
    }
    EXPECT_GT(cut.size(), text.size()) << "no line was longer than allowed";
    LineReader reader;
    reader.take(cut.substr(0, 501));
    reader.take(cut);
    EXPECT_EQ(reader.bytes(), code.bytes(3, 0, 1000));
    EXPECT_TRUE(reader.violations().empty());
}

TEST(LineWire, ShowsLinesThatAreNotWhole) {
    for (const std::string text : {"1a2b\n", "1a1\n1b\n", "1ag1\n", "1a\r1b\n"}) {
        LineReader reader;
        reader.take(text);
        EXPECT_EQ(reader.violations().size(), 1U) << text;
    }
    LineReader cut_off;
    cut_off.take("1a1\n\n2b\n");
    EXPECT_EQ(cut_off.bytes(), "\x1a\x2b");
    EXPECT_TRUE(cut_off.violations().empty());
    LineReader reader;
    reader.take(std::string(wire_line_max + 2, '1') + "\n");
    EXPECT_EQ(reader.violations().size(), 1U);
}

} // namespace
} // namespace chatserv::test
