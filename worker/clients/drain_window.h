// The measurement of how fast a client reads: what has arrived at its end within a window of time
// that slides along. It begins when the client's socket takes no more bytes, and ends when the
// client has everything.
//
// Where the window may begin next is marked on the way. So what a client's system took long ago,
// without the client's reading it, is not counted for ever.
#pragma once

#include "shared/segment/served_clock.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace chatserv {

class DrainWindow {
public:
    using Time = ServedClock::time_point;

    // `arrived_bytes`, here and below: at the client's end, since it was attached.
    void open(Time now, uint64_t arrived_bytes) {
        marks_.front() = {now, arrived_bytes};
        count_ = 1;
    }
    void close() { count_ = 0; }
    [[nodiscard]] bool is_open() const { return count_ > 0; }

    // Of an open window.
    [[nodiscard]] Time begin() const { return marks_.front().at; }
    [[nodiscard]] uint64_t drained_bytes(uint64_t arrived_bytes) const {
        return arrived_bytes - marks_.front().arrived_bytes;
    }
    // The window may begin here later. Without room for another mark it may not.
    void mark(Time now, uint64_t arrived_bytes) {
        if (count_ < marks_.size())
            marks_[count_++] = {now, arrived_bytes};
    }
    // The window begins at the next mark, or now if there is none.
    void slide(Time now, uint64_t arrived_bytes) {
        mark(now, arrived_bytes);
        for (size_t i = 1; i < count_; ++i)
            marks_[i - 1] = marks_[i];
        --count_;
    }

private:
    struct Mark {
        Time at{};
        uint64_t arrived_bytes = 0;
    };

    std::array<Mark, 5> marks_{}; // the first one is the window's beginning
    size_t count_ = 0;
};

} // namespace chatserv
