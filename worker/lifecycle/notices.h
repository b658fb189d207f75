// The notices to clients that send too fast.
//
// A client is told once, between two writes of the log, when it has all of the log. A client that
// is behind is told when it has caught up. One that never catches up, or whose socket does not take
// the line for another reason, is not told.
#pragma once

#include "worker/clients/roster.h"
#include "worker/limits/rate_limiter.h"
#include "worker/relay/deliveries.h"

#include <cstdint>
#include <vector>

namespace chatserv {

class Notices {
public:
    Notices(const Roster& roster, const Deliveries& delivery, RateLimiter& rate_limiter) :
        roster_(roster), delivery_(delivery), rate_limiter_(rate_limiter) {}

    // Sends the notices that are due to clients that have the log up to `delivered_head`. Returns
    // the clients whose sockets are full: those wait for EVFILT_WRITE, and are told later.
    [[nodiscard]] std::vector<Client*> send(uint64_t delivered_head) const;

private:
    const Roster& roster_;
    const Deliveries& delivery_;
    RateLimiter& rate_limiter_;
};

} // namespace chatserv
