#include "bench/load/receiver.h"

#include "bench/load/line.h"

#include <algorithm>
#include <cstring>

namespace chatserv::bench {

namespace {

bool is_text(const char* at, const std::string& text) {
    return text.empty() || std::memcmp(at, text.data(), text.size()) == 0;
}

// How many messages at the beginning of `got` are the same as in `expected`. Compares pieces that
// double in size as long as they are the same, so that long runs are compared as fast as memory is
// read: a receiver must keep up with every server.
size_t equal_messages(const char* got, const char* expected, size_t count, size_t stride) {
    size_t equal = 0;
    for (size_t piece = 1; equal < count;) {
        piece = std::min(piece, count - equal);
        const size_t offset = equal * stride;
        if (std::memcmp(got + offset, expected + offset, piece * stride) == 0) {
            equal += piece;
            piece *= 2;
        } else if (piece == 1) {
            break;
        } else {
            piece /= 2;
        }
    }
    return equal;
}

} // namespace

size_t Receiver::take(std::span<const char> bytes, uint64_t now_ns) {
    const Framing& framing = expectations_->framing;
    const size_t stride =
        framing.deliver_prefix.size() + expectations_->line_bytes + framing.deliver_suffix.size();
    size_t at = 0;
    while (at + stride <= bytes.size() && error_.empty()) {
        const size_t expected = take_expected(bytes.data() + at, (bytes.size() - at) / stride);
        if (expected == 0 && !framing.interjection.empty() &&
            is_text(bytes.data() + at, framing.interjection)) {
            at += framing.interjection.size();
            continue;
        }
        if (expected == 0) // a line with a time, a probe, or an error
            take_line(bytes.data() + at, now_ns);
        at += std::max<size_t>(expected, 1) * stride;
    }
    return error_.empty() ? bytes.size() - at : 0;
}

// Takes messages as long as they are byte for byte the next ones of one sender.
size_t Receiver::take_expected(const char* messages, size_t count) {
    const Framing& framing = expectations_->framing;
    const size_t stride =
        framing.deliver_prefix.size() + expectations_->line_bytes + framing.deliver_suffix.size();
    const uint64_t sender = take_field(messages + framing.deliver_prefix.size());
    if (expectations_->latency != nullptr || sender >= lines_of_.size())
        return 0;
    const uint64_t next = lines_of_[sender] & (expectations_->numbers - 1);
    const char* const expected = expectations_->streams[sender].data() + next * stride;
    const size_t equal = equal_messages(
        messages, expected, std::min<size_t>(count, expectations_->numbers - next), stride);
    this->count(sender, equal);
    return equal;
}

void Receiver::count(uint64_t sender, uint64_t lines) {
    lines_ += lines;
    lines_of_[sender] += lines;
    if (!expectations_->record_order || lines == 0)
        return;
    if (!order_.empty() && order_.back().sender == sender)
        order_.back().lines += lines;
    else
        order_.push_back({.sender = static_cast<uint32_t>(sender), .lines = lines});
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
        error_ = "line " + std::to_string(lines_) + " is from an unknown sender";
        return;
    }
    const uint64_t expected = lines_of_[sender] & (expectations_->numbers - 1);
    const uint64_t number = take_field(line + field_bytes);
    if (number != expected) {
        error_ = "sender " + std::to_string(sender) + "'s line " + std::to_string(expected) +
                 " was expected, but line " + std::to_string(number) + " was received";
        return;
    }
    if (!std::all_of(
            line + 3 * field_bytes, line + bytes - 1, [](char byte) { return byte == filling; })) {
        error_ = "line " + std::to_string(lines_) + " is damaged";
        return;
    }
    count(sender, 1);
    if (expectations_->latency != nullptr)
        expectations_->latency->add(now_ns - take_field(line + 2 * field_bytes));
}

} // namespace chatserv::bench
