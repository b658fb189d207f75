// How fast a client is read: a token bucket for each client, which fills at the limit's rate.
//
// A bucket holds one second's worth of bytes, and at least a few lines, so that a low rate does not
// cut what people type into pieces. When a read has emptied the bucket, reading stops until there
// is a tenth of a second's worth again, so that each read is worth its system call. The bucket is
// stored as one instant, at which it was empty or would have been: nothing has to fill it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace chatserv {

struct RateBucket {
    // Long ago, whatever the time is: the bucket is full.
    std::chrono::steady_clock::time_point empty_at{-std::chrono::hours(100'000)};
};

class RateLimit {
public:
    using Clock = std::chrono::steady_clock;

    // 0 bytes a second: no limit.
    explicit RateLimit(uint32_t bytes_a_second);

    [[nodiscard]] bool on() const { return bytes_a_second_ != 0; }
    [[nodiscard]] uint32_t bytes_a_second() const { return bytes_a_second_; }

    // How many bytes may be read now; 0 if that is not worth a system call. This function and those
    // below must not be called if there is no limit.
    [[nodiscard]] size_t allowance(const RateBucket& bucket, Clock::time_point now) const;
    // `bytes` were read. A line that is longer than the allowance is read whole: then there is no
    // allowance until the time for all of it has passed.
    void take(RateBucket& bucket, uint64_t bytes, Clock::time_point now) const;
    // When there will be an allowance, if nothing is read until then.
    [[nodiscard]] Clock::time_point readable_at(const RateBucket& bucket) const;

private:
    [[nodiscard]] Clock::duration time_for(uint64_t bytes) const;

    uint32_t bytes_a_second_;
    uint64_t bucket_bytes_;
    uint64_t worth_reading_bytes_;
};

} // namespace chatserv
