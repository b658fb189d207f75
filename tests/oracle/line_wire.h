// Streams of bytes as lines of text, for servers that relay whole lines: two hexadecimal digits a
// byte, and now and then the end of a line. What a client receives shows whether each of its lines
// is of one sender.
#pragma once

#include "tests/oracle/stream_code.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv::test {

// The --line-max of such servers. Some lines are longer: those are cut between two bytes.
constexpr std::size_t wire_line_max = 64;

class LineWriter {
public:
    explicit LineWriter(std::uint64_t seed) : seed_(seed) {}

    // The text of the next bytes. It may end within a line.
    [[nodiscard]] std::string text_of(std::string_view bytes);
    // How many bytes the first so many characters of the whole text stand for.
    [[nodiscard]] std::uint64_t bytes_in(std::uint64_t characters) const;
    // The end of the line that was begun last.
    [[nodiscard]] std::string end() { return record("\n"); }

private:
    std::string record(const std::string& text) {
        text_ += text;
        return text;
    }

    std::uint64_t seed_;
    std::uint64_t bytes_ = 0;
    std::string text_;
};

// A client that is cut off may have sent half of its last byte. That line is the last one of its
// sender.
class LineReader {
public:
    // Takes what has come since it was called last. `received`: everything.
    void take(std::string_view received);

    // The bytes of all lines.
    [[nodiscard]] const std::string& bytes() const { return bytes_; }
    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

private:
    void take_line(std::string_view line);

    std::size_t taken_ = 0;
    std::string bytes_;
    std::array<bool, senders_max> cut_off_{}; // by sender
    std::vector<std::string> violations_;
};

} // namespace chatserv::test
