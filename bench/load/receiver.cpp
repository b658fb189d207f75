#include "bench/load/receiver.h"

#include "bench/load/line.h"
#include "bench/load/marked_line.h"

#include <algorithm>
#include <cstring>
#include <iterator>

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
    while (error_.empty()) {
        const size_t taken = take_some(bytes, now_ns);
        if (taken == 0)
            break;
        bytes = bytes.subspan(taken);
    }
    return error_.empty() ? bytes.size() : 0;
}

size_t Receiver::take_some(std::span<const char> bytes, uint64_t now_ns) {
    const Framing& framing = expectations_->framing;
    const bool has_message = bytes.size() >= expectations_->message_bytes();
    if (has_message && cut_off_.empty()) {
        if (const size_t expected = take_expected(bytes); expected > 0)
            return expected;
        if (!framing.interjection.empty() && is_text(bytes.data(), framing.interjection))
            return framing.interjection.size();
    }
    if (expectations_->marked && framing.one_connection && !bytes.empty())
        return take_piece(bytes);
    return has_message ? take_line(bytes.data(), now_ns) : 0;
}

uint64_t Receiver::sender_in(const char* line) const {
    return expectations_->marked ? sender_of(*line) : take_field(line);
}

// Takes messages as long as they are byte for byte the next ones of one sender.
size_t Receiver::take_expected(std::span<const char> bytes) {
    const size_t stride = expectations_->message_bytes();
    const uint64_t sender = sender_in(bytes.data() + expectations_->framing.deliver_prefix.size());
    if (expectations_->latency != nullptr || sender >= received_.size())
        return 0;
    const uint64_t next = lines_of(sender) & (expectations_->numbers - 1);
    const char* const expected = expectations_->streams[sender].data() + next * stride;
    const size_t equal =
        stride * equal_messages(bytes.data(), expected,
                     std::min<size_t>(bytes.size() / stride, expectations_->numbers - next),
                     stride);
    count(sender, equal);
    return equal;
}

// Takes bytes as long as they are the next ones of one sender, also in the middle of a line. A line
// that is begun at the end of `bytes` is left for the next call: it need not be torn.
size_t Receiver::take_piece(std::span<const char> bytes) {
    const size_t line = expectations_->line_bytes;
    const auto sender = sender_of_piece(bytes);
    if (!sender)
        return 0;
    if (*sender >= received_.size()) // a probe, or an error
        return bytes.size() >= line ? take_line(bytes.data(), 0) : 0;
    size_t equal = equal_bytes(*sender, bytes);
    if (equal == 0)
        return fail("a byte of sender " + std::to_string(*sender) + " is not the next one");
    const bool to_the_end = equal == bytes.size();
    if (equal > 1 && bytes[equal - 1] == '\n' && is_end_of_another(*sender, bytes.subspan(equal)))
        --equal;
    const size_t begun = (received_[*sender] + equal) % line;
    if (to_the_end)
        equal -= std::min(equal, begun);
    if (equal == 0)
        return 0;
    const bool was_cut = std::erase(cut_off_, *sender) > 0;
    if (!to_the_end && begun > 0) {
        const bool is_same_line = was_cut && received_[*sender] % line + equal < line;
        torn_lines_ += is_same_line ? 0 : 1;
        cut_off_.push_back(*sender);
    }
    count(*sender, equal);
    return equal;
}

// Whether the line of a sender lacks nothing but its end, which tells no sender.
bool Receiver::lacks_its_end(uint64_t sender) const {
    return std::ranges::find(cut_off_, sender) != cut_off_.end() &&
           received_[sender] % expectations_->line_bytes == expectations_->line_bytes - 1;
}

// Whether the end of line before `rest` is that of another sender than the one whose bytes stand
// before it. It is, if that other one goes on. Also true if there is nothing yet to tell by.
bool Receiver::is_end_of_another(uint64_t sender, std::span<const char> rest) const {
    if (rest.empty())
        return std::ranges::any_of(
            cut_off_, [&](uint64_t other) { return other != sender && lacks_its_end(other); });
    const uint64_t next = sender_of(rest.front());
    return rest.front() != '\n' && next != sender && lacks_its_end(next);
}

// The sender of the first byte; nothing if the next byte is needed to tell. An end of line is that
// of the sender who goes on, if its line lacks nothing else.
std::optional<uint64_t> Receiver::sender_of_piece(std::span<const char> bytes) const {
    if (bytes.front() != '\n')
        return sender_of(bytes.front());
    std::vector<uint64_t> lacking;
    std::ranges::copy_if(cut_off_, std::back_inserter(lacking),
        [this](uint64_t sender) { return lacks_its_end(sender); });
    if (lacking.size() < 2)
        return lacking.empty() ? received_.size() : lacking.front();
    if (bytes.size() == 1)
        return std::nullopt;
    const bool goes_on = bytes[1] != '\n' && lacks_its_end(sender_of(bytes[1]));
    return goes_on ? sender_of(bytes[1]) : std::ranges::min(lacking);
}

// How many bytes are the next ones of this sender.
size_t Receiver::equal_bytes(uint64_t sender, std::span<const char> bytes) const {
    const std::string& stream = expectations_->streams[sender];
    size_t equal = 0;
    while (equal < bytes.size()) {
        const size_t position = (received_[sender] + equal) % stream.size();
        const size_t most = std::min(bytes.size() - equal, stream.size() - position);
        const char* const got = bytes.data() + equal;
        const char* const expected = stream.data() + position;
        if (std::memcmp(got, expected, most) != 0)
            return equal +
                   static_cast<size_t>(std::mismatch(got, got + most, expected).first - got);
        equal += most;
    }
    return equal;
}

void Receiver::count(uint64_t sender, uint64_t bytes) {
    const uint64_t before = lines_of(sender);
    received_[sender] += bytes;
    lines_ += lines_of(sender) - before;
    if (!expectations_->record_order || bytes == 0)
        return;
    if (!order_.empty() && order_.back().sender == sender)
        order_.back().bytes += bytes;
    else
        order_.push_back({.sender = static_cast<uint32_t>(sender), .bytes = bytes});
}

size_t Receiver::fail(const std::string& what) {
    error_ = "line " + std::to_string(lines_) + ": " + what;
    return 0;
}

// Takes a line that has a time, a probe, or a line that is an error.
size_t Receiver::take_line(const char* message, uint64_t now_ns) {
    const Framing& framing = expectations_->framing;
    const size_t bytes = expectations_->line_bytes;
    const char* const line = message + framing.deliver_prefix.size();
    if (line[bytes - 1] != '\n' || !is_text(message, framing.deliver_prefix) ||
        !is_text(line + bytes, framing.deliver_suffix))
        return fail("it is torn");
    const bool marked = expectations_->marked;
    const uint64_t sender = sender_in(line);
    const uint64_t number = marked ? number_of(line) : take_field(line + field_bytes);
    if (sender == received_.size()) {
        probe_ = number;
        return expectations_->message_bytes();
    }
    if (sender > received_.size())
        return fail("its sender is unknown");
    const uint64_t expected = lines_of(sender) & (expectations_->numbers - 1);
    if (number != expected)
        return fail("sender " + std::to_string(sender) + "'s line " + std::to_string(expected) +
                    " was expected, but line " + std::to_string(number) + " was received");
    const auto is_filling = [](char byte) { return byte == filling; };
    if (marked || !std::all_of(line + 3 * field_bytes, line + bytes - 1, is_filling))
        return fail("it is damaged"); // take_expected() would have taken a marked line
    count(sender, expectations_->message_bytes());
    if (expectations_->latency != nullptr)
        expectations_->latency->add(now_ns - take_field(line + 2 * field_bytes));
    return expectations_->message_bytes();
}

} // namespace chatserv::bench
