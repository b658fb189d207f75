// What one listener has received: every line of every sender, whole, once and in order, or an
// error.
#pragma once

#include "bench/load/framing.h"
#include "bench/load/latency.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chatserv::bench {

// What all listeners of a run have in common.
struct Expectations {
    const Framing& framing;
    size_t line_bytes;
    uint64_t numbers; // of a sender's lines, before they begin again; a power of two
    bool record_order;
    Latency* latency; // null: nobody times the lines, and all lines of a number are the same bytes
    // What a listener is handed of each sender: `numbers` messages.
    std::vector<std::string> streams{};
};

// So many lines of one sender, one after the other.
struct Run {
    uint32_t sender;
    uint64_t lines;
};

class Receiver {
public:
    explicit Receiver(const Expectations& expectations) :
        expectations_(&expectations), lines_of_(expectations.streams.size()) {}

    // Takes in what has come, at `now_ns`; returns how much of its end is not a whole message yet,
    // and has to be in front of what comes next; nothing after an error.
    [[nodiscard]] size_t take(std::span<const char> bytes, uint64_t now_ns);

    // The number of the last probe: a line of a sender beyond the others, that is not counted.
    // Probes tell when a listener has begun to listen.
    [[nodiscard]] uint64_t probe() const { return probe_; }
    [[nodiscard]] uint64_t lines() const { return lines_; }
    [[nodiscard]] uint64_t lines_of(uint64_t sender) const { return lines_of_[sender]; }
    // The senders of all lines, in order, if that is recorded.
    [[nodiscard]] const std::vector<Run>& order() const { return order_; }
    // The first thing that was wrong; empty: nothing.
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
