#include "bench/load/receiver.h"

#include "bench/load/line.h"

#include <algorithm>
#include <cstring>

namespace chatserv::bench {

namespace {

constexpr uint64_t lines_per_thorough_look = 64;

bool is_text(const char* at, const std::string& text) {
    return text.empty() || std::memcmp(at, text.data(), text.size()) == 0;
}

} // namespace

size_t Receiver::take(std::span<const char> bytes, uint64_t now_ns) {
    const Framing& framing = expectations_->framing;
    const size_t stride =
        framing.deliver_prefix.size() + expectations_->line_bytes + framing.deliver_suffix.size();
    size_t at = 0;
    for (; at + stride <= bytes.size() && error_.empty(); at += stride)
        take_line(bytes.data() + at, now_ns);
    return bytes.size() - at;
}

void Receiver::take_line(const char* message, uint64_t now_ns) {
    const Framing& framing = expectations_->framing;
    const size_t bytes = expectations_->line_bytes;
    const char* const line = message + framing.deliver_prefix.size();
    if (line[bytes - 1] != '\n' || !is_text(message, framing.deliver_prefix) ||
        !is_text(line + bytes, framing.deliver_suffix)) {
        error_ = "line " + std::to_string(lines_) + " is torn";
        return;
    }
    const uint64_t sender = take_field(line);
    if (sender == lines_of_.size()) {
        probe_ = take_field(line + field_bytes);
        return;
    }
    if (sender > lines_of_.size()) {
        error_ = "line " + std::to_string(lines_) + " is of nobody";
        return;
    }
    const uint64_t expected = lines_of_[sender]++ & (expectations_->numbers - 1);
    const uint64_t number = take_field(line + field_bytes);
    if (number != expected) {
        error_ = "sender " + std::to_string(sender) + "'s line " + std::to_string(expected) +
                 " was expected and " + std::to_string(number) + " came";
        return;
    }
    if (lines_ % lines_per_thorough_look == 0 &&
        !std::all_of(
            line + 3 * field_bytes, line + bytes - 1, [](char byte) { return byte == filling; })) {
        error_ = "line " + std::to_string(lines_) + " is damaged";
        return;
    }
    ++lines_;
    if (expectations_->record_order)
        order_.push_back(static_cast<uint16_t>(sender));
    if (expectations_->latency != nullptr)
        expectations_->latency->add(now_ns - take_field(line + 2 * field_bytes));
}

} // namespace chatserv::bench
