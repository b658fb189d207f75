// The clients that send faster than they may: how much of each is read now, when it is read again,
// and which of them have to be told (--max-rate).
//
// The rate alone is measured by the steady clock, not by served time: a client could go on sending
// while the server stood still, so its bucket goes on filling.
#pragma once

#include "shared/segment/user_table.h"
#include "worker/clients/client.h"
#include "worker/limits/deadlines.h"
#include "worker/limits/one_shot_timer.h"
#include "worker/limits/rate_limit.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chatserv {

class RateLimiter {
public:
    using Clock = RateLimit::Clock;

    // `max_rate_bytes`: a second, of each client; 0: no limit.
    RateLimiter(EventQueue& events, uint32_t max_rate_bytes);

    // Another rate from now on. Returns the clients that are paused, unless this rate is in force
    // already: each may be read again, and is paused anew if it still has no allowance.
    [[nodiscard]] std::vector<ClientId> follow(uint32_t max_rate_bytes);

    // How many bytes of the client may be read now. 0: it has used up what it had; pause its
    // reading until take_due() names it.
    [[nodiscard]] size_t allowance(const Client& client);
    // `bytes` of the client were read.
    void note_read(const Client& client, uint64_t bytes);
    // The timer has gone off: the clients that may be read again at `now`.
    [[nodiscard]] std::vector<ClientId> take_due(Clock::time_point now);
    void arm_timer();
    // The client has left, or another worker serves it.
    void forget(ClientId client) { paused_.remove(client); }

    // The notice to a client that sends too fast. Calls told(ClientId, std::string_view line) for
    // each client that should get it, and forgets those for which it returns true.
    template <typename Told>
    void notify(Told told) {
        std::erase_if(to_notify_, [&](ClientId client) { return told(client, line_); });
    }
    // No notice is longer, whatever the rate. A predecessor may have sent one of another rate.
    static constexpr uint64_t line_bytes_max = 64;

    // The clients that were held up for the first time in this process.
    [[nodiscard]] std::vector<ClientId> take_throttled() { return std::exchange(throttled_, {}); }
    // The master has to be told of all of them again. (Late word of one that has left is no harm.)
    void tell_again();

private:
    // Belongs to the slot, and begins anew with the slot's next client.
    struct Bucket {
        uint32_t generation = 0;
        bool throttled = false;
        RateBucket bytes{};
    };
    [[nodiscard]] Bucket& bucket_of(const Client& client);

    RateLimit limit_;
    std::string line_;
    std::vector<Bucket> buckets_; // by slot
    Deadlines<Clock> paused_;     // by the instant at which they may be read again
    OneShotTimer<Clock> timer_;
    std::vector<ClientId> to_notify_;
    std::vector<ClientId> throttled_;
};

} // namespace chatserv
