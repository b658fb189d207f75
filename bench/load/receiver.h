// Checks what one listener receives: every line of every sender, whole, once and in order. Anything
// else is an error.
#pragma once

#include "bench/load/framing.h"
#include "bench/load/latency.h"

#include <cstddef>
#include <cstdint>
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
    Latency* latency; // null: lines carry no time, so all lines of one number have the same bytes
    // What a listener receives from each sender: `numbers` messages.
    std::vector<std::string> streams{};
};

// A number of lines from one sender, one after the other.
struct Run {
    uint32_t sender;
    uint64_t lines;
};

class Receiver {
public:
    explicit Receiver(const Expectations& expectations) :
        expectations_(&expectations), lines_of_(expectations.streams.size()) {}

    // Checks bytes that were received at `now_ns`. Returns how many bytes at the end are not yet a
    // whole message: the next call must begin with them. Does nothing after an error.
    [[nodiscard]] size_t take(std::span<const char> bytes, uint64_t now_ns);

    // The number of the last probe. A probe is a line with a sender number beyond the real ones; it
    // is not counted. It shows that a listener receives lines.
    [[nodiscard]] uint64_t probe() const { return probe_; }
    [[nodiscard]] uint64_t lines() const { return lines_; }
    [[nodiscard]] uint64_t lines_of(uint64_t sender) const { return lines_of_[sender]; }
    // The senders of all lines in order, if record_order is set.
    [[nodiscard]] const std::vector<Run>& order() const { return order_; }
    // The first error; empty: none.
    [[nodiscard]] const std::string& error() const { return error_; }

private:
    [[nodiscard]] size_t take_expected(const char* messages, size_t count);
    void take_line(const char* message, uint64_t now_ns);
    void count(uint64_t sender, uint64_t lines);

    const Expectations* expectations_;
    std::vector<uint64_t> lines_of_;
    std::vector<Run> order_{};
    std::string error_{};
    uint64_t lines_ = 0;
    uint64_t probe_ = 0;
};

} // namespace chatserv::bench
