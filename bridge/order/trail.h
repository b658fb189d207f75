// The way by which a host has come: of the last messages that it has read, what each was and the
// running hash after it. What it is told of a message (by the stream, which delivers it again, or
// by another host, which says its hash) is compared with that.
#pragma once

#include "bridge/order/trail_length.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace chatserv {

// A message that was read.
struct Footprint {
    uint64_t number = 0; // its place in the stream; 0: none was read
    uint64_t digest = 0; // of its bytes
    uint64_t hash = 0;   // the running hash after it

    bool operator==(const Footprint&) const = default;
};

class Trail {
public:
    static constexpr size_t length_max = trail_length_max;

    // Begins anew: this message was the last one.
    explicit Trail(const Footprint& last) { restart(last); }
    void restart(const Footprint& last);

    [[nodiscard]] const Footprint& last() const { return last_; }
    // Its number is the one after last().
    void add(const Footprint& next);
    // Nothing if the message is older than the trail, or was not read yet.
    [[nodiscard]] std::optional<Footprint> at(uint64_t number) const;

private:
    Footprint last_;
    uint64_t first_number_ = 0;
    std::vector<Footprint> ring_; // a message is at its number modulo length_max
};

} // namespace chatserv
