// Stands in for bridge/order/trail.h where the order is compiled into the model: the same class
// with a shorter memory, since the model copies a trail with each state of its process.
#pragma once

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
    static constexpr size_t length_max = 16;

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
