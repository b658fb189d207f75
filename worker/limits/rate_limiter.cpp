#include "worker/limits/rate_limiter.h"

#include "shared/segment/atomic_word.h"
#include "worker/limits/timers.h"

#include <fmt/core.h>
#include <limits>

namespace chatserv {

namespace {

// The timer goes off no more often than this, however many clients are paused.
constexpr std::chrono::milliseconds timer_pause{10};

std::string line_for(uint32_t max_rate_bytes) {
    return fmt::format("you are sending too fast: {} bytes a second are read!\n", max_rate_bytes);
}

} // namespace

RateLimiter::RateLimiter(EventQueue& events, uint32_t max_rate_bytes) :
    limit_(max_rate_bytes), line_(line_for(max_rate_bytes)),
    timer_(events, static_cast<uintptr_t>(Timer::rate), timer_pause) {}

// A bucket holds an instant and no bytes, so it is as full as before, in parts of the new rate.
std::vector<ClientId> RateLimiter::follow(uint32_t max_rate_bytes) {
    if (max_rate_bytes == limit_.bytes_a_second())
        return {};
    limit_ = RateLimit(max_rate_bytes);
    line_ = line_for(max_rate_bytes);
    return paused_.take_due(Clock::time_point::max());
}

RateLimiter::Bucket& RateLimiter::bucket_of(const Client& client) {
    const uint32_t index = index_of(client.id.slot);
    if (index >= buckets_.size())
        buckets_.resize(index + 1);
    Bucket& bucket = buckets_[index];
    if (bucket.generation != client.id.generation)
        bucket = {.generation = client.id.generation};
    return bucket;
}

size_t RateLimiter::allowance(const Client& client) {
    if (!limit_.on())
        return std::numeric_limits<size_t>::max();
    Bucket& bucket = bucket_of(client);
    const size_t bytes = limit_.allowance(bucket.bytes, Clock::now());
    if (bytes != 0)
        return bytes;
    paused_.set(client.id, limit_.readable_at(bucket.bytes));
    if (!std::exchange(bucket.throttled, true)) {
        throttled_.push_back(client.id);
        if (load_acquire(client.slot->told_too_fast) == 0) // a predecessor may have told it
            to_notify_.push_back(client.id);
    }
    return 0;
}

void RateLimiter::note_read(const Client& client, uint64_t bytes) {
    if (limit_.on())
        limit_.take(bucket_of(client).bytes, bytes, Clock::now());
}

void RateLimiter::tell_again() {
    throttled_.clear();
    for (uint32_t index = 0; index < buckets_.size(); ++index)
        if (buckets_[index].throttled)
            throttled_.push_back({.slot = SlotId{index}, .generation = buckets_[index].generation});
}

std::vector<ClientId> RateLimiter::take_due(Clock::time_point now) {
    timer_.went_off();
    return paused_.take_due(now);
}

void RateLimiter::arm_timer() {
    if (!paused_.empty())
        timer_.arm(paused_.earliest(), Clock::now);
}

} // namespace chatserv
