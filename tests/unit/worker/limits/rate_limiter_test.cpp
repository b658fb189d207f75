// The clients that send too fast: how each is held up, and told once.
#include "tests/unit/ids.h"
#include "tests/unit/small_segment.h"
#include "worker/limits/rate_limiter.h"

#include <gtest/gtest.h>
#include <limits>

namespace chatserv {
namespace {

constexpr uint32_t max_rate_bytes = 4096; // as much as a bucket holds at least

class RateLimiterTest : public testing::Test {
protected:
    Client make_client(uint32_t slot, uint32_t generation = 1) {
        const ClientId id = segment_.attach(slot, entry_0, generation);
        return {.id = id, .fd = UniqueFd(), .slot = &segment_.users[SlotId{slot}]};
    }

    // The clients that get the notice, if `can_be_told` says so of each.
    std::vector<ClientId> notified(bool can_be_told) {
        std::vector<ClientId> clients;
        limiter_.notify([&](ClientId id, std::string_view line) {
            EXPECT_EQ(line, "you are sending too fast: 4096 bytes a second are read!\n");
            clients.push_back(id);
            return can_be_told;
        });
        return clients;
    }

    void exhaust(const Client& client) {
        limiter_.note_read(client, limiter_.allowance(client));
        EXPECT_EQ(limiter_.allowance(client), 0U);
    }

    SmallSegment segment_;
    EventQueue events_;
    RateLimiter limiter_{events_, max_rate_bytes};
};

using Ids = std::vector<ClientId>;

TEST_F(RateLimiterTest, WithoutALimitAnyNumberOfBytesIsRead) {
    RateLimiter unlimited(events_, 0);
    const Client client = make_client(0);
    unlimited.note_read(client, 1'000'000'000);
    EXPECT_EQ(unlimited.allowance(client), std::numeric_limits<size_t>::max());
    EXPECT_EQ(unlimited.take_throttled(), Ids{});
}

TEST_F(RateLimiterTest, AClientIsReadAgainWhenItsBucketHasFilled) {
    const Client client = make_client(0);
    exhaust(client);
    EXPECT_EQ(limiter_.take_due(RateLimiter::Clock::now()), Ids{});
    EXPECT_EQ(
        limiter_.take_due(RateLimiter::Clock::now() + std::chrono::seconds(1)), Ids{client.id});
    EXPECT_EQ(limiter_.take_due(RateLimiter::Clock::now() + std::chrono::seconds(1)), Ids{});
}

TEST_F(RateLimiterTest, TheMasterAndTheClientAreToldOnce) {
    const Client client = make_client(0);
    exhaust(client);
    EXPECT_EQ(limiter_.take_throttled(), Ids{client.id});
    EXPECT_EQ(notified(false), Ids{client.id});
    EXPECT_EQ(notified(true), Ids{client.id}) << "it could not be told before";
    EXPECT_EQ(limiter_.allowance(client), 0U);
    EXPECT_EQ(limiter_.take_throttled(), Ids{});
    EXPECT_EQ(notified(true), Ids{});
}

TEST_F(RateLimiterTest, AClientThatAPredecessorHasToldIsNotToldAgain) {
    const Client client = make_client(0);
    client.slot->told_too_fast = 1;
    exhaust(client);
    EXPECT_EQ(notified(true), Ids{});
    EXPECT_EQ(limiter_.take_throttled(), Ids{client.id});
}

TEST_F(RateLimiterTest, TheNextClientOfASlotBeginsWithAFullBucket) {
    const Client first = make_client(0);
    exhaust(first);
    segment_.users.release(first.id);
    const Client second = make_client(0, 2);
    EXPECT_EQ(limiter_.allowance(second), max_rate_bytes);
}

} // namespace
} // namespace chatserv
