#include "worker/limits/rate_limit.h"

#include <algorithm>

namespace chatserv {

namespace {

constexpr uint64_t nanoseconds_a_second = 1'000'000'000;
constexpr uint64_t bucket_bytes_min = 4096;

} // namespace

RateLimit::RateLimit(uint32_t bytes_a_second) :
    bytes_a_second_(bytes_a_second),
    bucket_bytes_(std::max<uint64_t>(bytes_a_second, bucket_bytes_min)),
    worth_reading_bytes_(std::max<uint64_t>(bytes_a_second / 10, 1)) {}

size_t RateLimit::allowance(const RateBucket& bucket, Clock::time_point now) const {
    const Clock::duration filling = now - bucket.empty_at;
    if (filling >= time_for(bucket_bytes_))
        return static_cast<size_t>(bucket_bytes_);
    if (filling < time_for(worth_reading_bytes_))
        return 0;
    // Whole seconds are counted apart, so that no product below overflows.
    const auto ns = static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(filling).count());
    return static_cast<size_t>(ns / nanoseconds_a_second * bytes_a_second_ +
                               ns % nanoseconds_a_second * bytes_a_second_ / nanoseconds_a_second);
}

void RateLimit::take(RateBucket& bucket, uint64_t bytes, Clock::time_point now) const {
    bucket.empty_at = std::max(bucket.empty_at, now - time_for(bucket_bytes_)) + time_for(bytes);
}

RateLimit::Clock::time_point RateLimit::readable_at(const RateBucket& bucket) const {
    return bucket.empty_at + time_for(worth_reading_bytes_);
}

// Rounded up, so that a client that is read in many small pieces is not read faster.
RateLimit::Clock::duration RateLimit::time_for(uint64_t bytes) const {
    const uint64_t ns =
        bytes / bytes_a_second_ * nanoseconds_a_second +
        (bytes % bytes_a_second_ * nanoseconds_a_second + bytes_a_second_ - 1) / bytes_a_second_;
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::nanoseconds(static_cast<int64_t>(ns)));
}

} // namespace chatserv
