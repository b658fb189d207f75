#include "tests/oracle/line_wire.h"

#include "tests/harness/seed.h"

#include <algorithm>

namespace chatserv::test {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

bool is_digit(char letter) {
    return digits.find(letter) != std::string_view::npos;
}

} // namespace

std::string LineWriter::text_of(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text += digits[value / 16];
        text += digits[value % 16];
        const std::uint64_t dice = mixed(mixed(seed_) + ++bytes_);
        if (dice % 20 == 0)
            text += dice / 20 % 4 == 0 ? "\r\n" : "\n";
    }
    return record(text);
}

std::uint64_t LineWriter::bytes_in(std::uint64_t characters) const {
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(characters);
    return static_cast<std::uint64_t>(std::count_if(text_.begin(), end, is_digit)) / 2;
}

void LineReader::take(std::string_view received) {
    for (;;) {
        const std::size_t end = received.find('\n', taken_);
        if (end == std::string_view::npos)
            return;
        take_line(received.substr(taken_, end - taken_));
        taken_ = end + 1;
    }
}

void LineReader::take_line(std::string_view line) {
    if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
    const std::string quoted = "the line '" + std::string(line) + "'";
    if (line.size() > wire_line_max)
        violations_.push_back(quoted + " is too long");
    if (line.empty())
        return;
    if (!std::all_of(line.begin(), line.end(), is_digit)) {
        violations_.push_back(quoted + " is not whole");
        return;
    }
    const std::size_t sender = digits.find(line.front());
    if (cut_off_[sender])
        violations_.push_back(quoted + " comes after half a byte of its sender");
    cut_off_[sender] = line.size() % 2 != 0;
    for (std::size_t at = 0; at + 1 < line.size(); at += 2) {
        bytes_ += static_cast<char>(digits.find(line[at]) * 16 + digits.find(line[at + 1]));
        if (sender_of(bytes_.back()) != sender) {
            violations_.push_back(quoted + " is of two senders");
            return;
        }
    }
}

} // namespace chatserv::test
