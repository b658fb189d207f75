// Heartbeats that a test writes in the place of the worker processes.
#pragma once

#include "shared/segment/heartbeat.h"

#include <chrono>
#include <cstdint>
#include <gmock/gmock.h>
#include <vector>

namespace chatserv {

class HeartbeatTest : public testing::Test {
protected:
    void beat_at(SeatId seat, std::chrono::steady_clock::time_point time) {
        heartbeats_[index_of(seat)].beat_ns = static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
    }

    std::vector<Heartbeat> heartbeats_ = std::vector<Heartbeat>(3);
};

} // namespace chatserv
