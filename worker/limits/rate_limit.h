// How fast one client is read: a token bucket for each, which fills at so many bytes a second.
//
// A bucket holds one second's worth, but a few lines at least, so that whoever types is not cut
// into pieces where the rate is low. It is empty when a read has used that up; then reading is put
// off until there is a tenth of a second's worth again, which is what makes the rate come in steps
// worth a system call. Its contents are one instant, the one at which it was empty or would have
// been: nothing has to be filled up.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace chatserv {

struct RateBucket {
    // Long ago, whatever the time is: it is full.
    std::chrono::steady_clock::time_point empty_at{-std::chrono::hours(100'000)};
};

class RateLimit {
public:
    using Clock = std::chrono::steady_clock;

    // 0 bytes a second: no limit.
    explicit RateLimit(uint32_t bytes_a_second);

    [[nodiscard]] bool on() const { return bytes_a_second_ != 0; }
    [[nodiscard]] uint32_t bytes_a_second() const { return bytes_a_second_; }

    // How many bytes may be read now; 0 where so few are left that it is not worth it. Not to be
    // called where there is no limit, nor are the others.
    [[nodiscard]] size_t allowance(const RateBucket& bucket, Clock::time_point now) const;
    // So many were read: no more than that.
    void take(RateBucket& bucket, uint64_t bytes, Clock::time_point now) const;
    // From when on there is an allowance, if nothing is read until then.
    [[nodiscard]] Clock::time_point readable_at(const RateBucket& bucket) const;

private:
    [[nodiscard]] Clock::duration time_for(uint64_t bytes) const;

    uint32_t bytes_a_second_;
    uint64_t bucket_bytes_;
    uint64_t worth_reading_bytes_;
};

} // namespace chatserv
