// Lines: what a client's bytes become in the log with `--framing line`.
//
// A line is some bytes without a newline, which are its content, and its end: a newline, or a
// carriage return and a newline. Content that is longer than the limit is cut, so that a sender
// that never ends a line cannot keep the others from being read; what follows the cut is the next
// line. The last line of a client that leaves may have no end.
//
// In the log each line has its prefix, its content and an end. A line that was cut or had no end
// gets a newline, so each line of the log is of one sender, whoever is published after it.
//
// All functions depend on the bytes and the settings alone: it makes no difference how TCP has cut
// the bytes, and a batch that is appended again, by another process, becomes the same bytes.
#pragma once

#include "shared/segment/layout.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace chatserv {

// Whether a master could have chosen these settings for a log of this size.
[[nodiscard]] bool are_possible(const FramingSettings& settings, uint64_t log_bytes);

// The longest line that a log of this size can have.
[[nodiscard]] constexpr uint64_t line_bytes_max_for(uint64_t log_bytes) {
    return log_bytes / 8 < line_bytes_max ? log_bytes / 8 : line_bytes_max;
}

class Lines {
public:
    struct Line {
        size_t bytes;         // of the client's, the end included
        size_t content_bytes; // ... without the end
        std::string_view end; // in the log
        bool cut = false;     // the content was longer than the limit
    };

    // Some whole lines.
    struct Whole {
        size_t bytes = 0;     // of the client's
        size_t log_bytes = 0; // in the log
        size_t cuts = 0;      // how many of them were cut
    };
    struct Limits {
        size_t bytes;     // the first line is taken even if it is longer
        size_t log_bytes; // no line goes beyond this
    };

    explicit Lines(const FramingSettings& settings) : settings_(settings) {}

    [[nodiscard]] bool on() const { return settings_.framing == Framing::line; }

    // How many bytes show that a line has to be cut, if its end is not among them.
    [[nodiscard]] size_t longest_bytes() const { return settings_.line_bytes_max + 2; }
    // The most that one line becomes in the log, or the two that are made of longest_bytes() - 1
    // bytes when nothing follows.
    [[nodiscard]] size_t longest_log_bytes() const {
        return longest_bytes() + 1 + 2 * prefix_bytes_max;
    }

    // The line at the front of `bytes`. Nothing if its end is still to come; with `is_all` nothing
    // is to come, and the rest is a line.
    [[nodiscard]] std::optional<Line> first(std::span<const char> bytes, bool is_all) const;

    // The whole lines at the front of `bytes`, each with a prefix of `prefix_bytes`.
    [[nodiscard]] Whole whole(
        std::span<const char> bytes, bool is_all, size_t prefix_bytes, Limits limits) const;

    // The bytes in the log of a chunk, all of whose lines are whole.
    [[nodiscard]] size_t log_bytes(std::span<const char> chunk, size_t prefix_bytes) const;

    // Calls write(std::string_view) with what a chunk becomes in the log, piece by piece. It is
    // `log_bytes` bytes.
    template <typename Write>
    void for_each_piece(std::span<const char> chunk, std::string_view prefix, uint64_t log_bytes,
        Write write) const {
        if (prefix.empty() && settings_.line_end == LineEnd::keep && chunk.size() == log_bytes)
            return write(std::string_view(chunk.data(), chunk.size())); // nothing is added
        while (!chunk.empty()) {
            const Line line = *first(chunk, true);
            write(prefix);
            write(std::string_view(chunk.data(), line.content_bytes));
            write(line.end);
            chunk = chunk.subspan(line.bytes);
        }
    }

private:
    [[nodiscard]] Line ended(std::span<const char> bytes, size_t newline_at) const;

    FramingSettings settings_;
};

} // namespace chatserv
