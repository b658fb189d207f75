// A histogram of times with 32 classes per doubling, so a quantile is exact to about three percent.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace chatserv::bench {

class Latency {
public:
    void add(uint64_t ns) {
        ++classes_[class_of(ns)];
        ++count_;
        max_ns_ = ns > max_ns_ ? ns : max_ns_;
    }

    [[nodiscard]] uint64_t count() const { return count_; }
    [[nodiscard]] uint64_t max_ns() const { return max_ns_; }

    // The upper end of the class that contains the quantile; 0 if no times were added.
    [[nodiscard]] uint64_t quantile_ns(double share) const {
        const auto wanted = static_cast<uint64_t>(share * static_cast<double>(count_));
        uint64_t seen = 0;
        for (size_t i = 0; i < classes_.size(); ++i) {
            seen += classes_[i];
            if (seen > wanted)
                return end_of(i);
        }
        return max_ns_;
    }

private:
    static constexpr unsigned bits = 5;

    static size_t class_of(uint64_t ns) {
        if (ns < 1U << bits)
            return ns;
        const auto shift = static_cast<unsigned>(std::bit_width(ns)) - bits - 1;
        return (static_cast<size_t>(shift + 1) << bits) + (ns >> shift & ((1U << bits) - 1));
    }
    static uint64_t end_of(size_t index) {
        if (index < 1U << bits)
            return index;
        const auto shift = (index >> bits) - 1;
        return ((index & ((1U << bits) - 1)) + (1U << bits) + 1) << shift;
    }

    std::array<uint64_t, 64 << bits> classes_{};
    uint64_t count_ = 0;
    uint64_t max_ns_ = 0;
};

} // namespace chatserv::bench
