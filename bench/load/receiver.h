// Checks what one listener receives: every line of every sender, whole, once and in order. Anything
// else is an error, with one exception.
//
// A relay of bytes promises the order of bytes, not of lines: it may cut a line where its buffer or
// a packet ends, and write lines of other senders between the parts. Such a line is torn. If all of
// its bytes arrive in their order, it is counted as a line and as a torn one; it is no error.
#pragma once

#include "bench/load/framing.h"
#include "bench/load/latency.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace chatserv::bench {

// The expectations that all listeners of a run share.
struct Expectations {
    const Framing& framing;
    size_t line_bytes;
    uint64_t numbers; // how many lines a sender numbers before it begins again; a power of two
    bool record_order;
    bool marked;      // the lines are those of marked_line.h
    Latency* latency; // null: lines carry no time, so all lines of one number have the same bytes
    // What a listener receives from each sender: `numbers` messages.
    std::vector<std::string> streams{};

    [[nodiscard]] size_t message_bytes() const {
        return framing.deliver_prefix.size() + line_bytes + framing.deliver_suffix.size();
    }
};

// A number of bytes from one sender, one after the other.
struct Run {
    uint32_t sender;
    uint64_t bytes;
};

class Receiver {
public:
    explicit Receiver(const Expectations& expectations) :
        expectations_(&expectations), received_(expectations.streams.size()) {}

    // Checks bytes that were received at `now_ns`. Returns how many bytes at the end, no more than
    // a message, have to be seen together with what follows: the next call must begin with them.
    // Does nothing after an error.
    [[nodiscard]] size_t take(std::span<const char> bytes, uint64_t now_ns);

    // The number of the last probe. A probe is a line with a sender number beyond the real ones; it
    // is not counted. It shows that a listener receives lines.
    [[nodiscard]] uint64_t probe() const { return probe_; }
    [[nodiscard]] uint64_t lines() const { return lines_; }
    [[nodiscard]] uint64_t torn_lines() const { return torn_lines_; }
    [[nodiscard]] uint64_t lines_of(uint64_t sender) const {
        return received_[sender] / expectations_->message_bytes();
    }
    // The senders of all bytes in order, if record_order is set.
    [[nodiscard]] const std::vector<Run>& order() const { return order_; }
    // The first error; empty: none.
    [[nodiscard]] const std::string& error() const { return error_; }

private:
    // These return how many bytes they took; 0: more are needed, or there was an error.
    [[nodiscard]] size_t take_some(std::span<const char> bytes, uint64_t now_ns);
    [[nodiscard]] size_t take_expected(std::span<const char> bytes);
    [[nodiscard]] size_t take_piece(std::span<const char> bytes);
    [[nodiscard]] size_t take_line(const char* message, uint64_t now_ns);

    [[nodiscard]] uint64_t sender_in(const char* line) const;
    [[nodiscard]] bool lacks_its_end(uint64_t sender) const;
    [[nodiscard]] bool is_end_of_another(uint64_t sender, std::span<const char> rest) const;
    [[nodiscard]] std::optional<uint64_t> sender_of_piece(std::span<const char> bytes) const;
    [[nodiscard]] size_t equal_bytes(uint64_t sender, std::span<const char> bytes) const;
    void count(uint64_t sender, uint64_t bytes);
    size_t fail(const std::string& what);

    const Expectations* expectations_;
    std::vector<uint64_t> received_;  // bytes of each sender
    std::vector<uint64_t> cut_off_{}; // the senders with a line that has been cut and not completed
    std::vector<Run> order_{};
    std::string error_{};
    uint64_t lines_ = 0;
    uint64_t torn_lines_ = 0;
    uint64_t probe_ = 0;
};

} // namespace chatserv::bench
