// The limits on what clients send: the Relay of one worker, with sockets of this process and a
// clock of the test.
#include "tests/unit/small_segment.h"
#include "worker/relay.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

using std::chrono::milliseconds;

// The tests go back in time by at most this much, and time begins when the machine starts.
const milliseconds idle_timeout = std::min(milliseconds(60'000),
    std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()) /
        2);
constexpr int buffer_bytes = 65'536;
constexpr uint32_t max_rate_bytes = 4096; // the smallest capacity of a bucket

class LimitsTest : public testing::Test {
protected:
    LimitsTest() { begin_worker(); }

    // Replaces the worker, which dies; the new one is given its clients.
    void begin_worker() {
        for (const uint32_t slot : {0U, 1U})
            if (sockets_[slot])
                (void)users_.orphan(id_of(slot), entry_0);
        relay_.reset();
        events_.emplace();
        relay_.emplace(
            segment_, entry_0, *events_, doorbells_, segment_.heartbeats()[0], account_of);
        for (const uint32_t slot : {0U, 1U})
            if (sockets_[slot])
                relay_->receive(id_of(slot), UniqueFd(::dup(sockets_[slot].get())));
        relay_->settle();
    }

    static ClientId id_of(uint32_t slot) { return client_id(slot); }

    void join(uint32_t slot) {
        FdPair ends = make_stream_pair();
        peers_[slot] = std::move(ends.first);
        sockets_[slot] = std::move(ends.second);
        // On some systems a socket pair holds no more than 8192 bytes by default.
        for (const UniqueFd* end : {&peers_[slot], &sockets_[slot]})
            for (const int option : {SO_SNDBUF, SO_RCVBUF})
                ASSERT_EQ(
                    ::setsockopt(end->get(), SOL_SOCKET, option, &buffer_bytes, sizeof(int)), 0);
        users_.assign(id_of(slot), entry_0);
        relay_->receive(id_of(slot), UniqueFd(::dup(sockets_[slot].get())));
        relay_->settle();
    }

    void say(uint32_t slot, const std::string& text) {
        ASSERT_EQ(::write(peers_[slot].get(), text.data(), text.size()),
            static_cast<ssize_t>(text.size()));
    }

    std::string heard_by(uint32_t slot) {
        std::string text(100'000, '\0');
        const ssize_t got = ::read(peers_[slot].get(), text.data(), text.size());
        text.resize(got > 0 ? static_cast<size_t>(got) : 0);
        return text;
    }

    // Handles all events of the kqueue except timers.
    void serve() {
        for (const EventQueue::Event& event : events_->wait(std::chrono::nanoseconds(0)))
            if (is_readable(event))
                relay_->readable(client_of(tag_of(event)));
        relay_->settle();
    }

    // Moves the client's last input back by `time`.
    void rewind(uint32_t slot, milliseconds time) {
        users_[SlotId{slot}].heard_ns -=
            static_cast<uint64_t>(std::chrono::nanoseconds(time).count());
    }

    // Moves the worker's last look at the clock back by `time`.
    void stand_still(milliseconds time) {
        segment_.worker_table()[0].served.looked_ns -=
            static_cast<uint64_t>(std::chrono::nanoseconds(time).count());
    }

    std::chrono::nanoseconds time_to_sleep() {
        return relay_->time_to_sleep(doorbell_, std::chrono::nanoseconds::max());
    }

    void pass_idle_time(milliseconds time) {
        relay_->timer(Timer::idle, {relay_->clock().now() + time, {}});
        relay_->settle();
    }

    std::vector<uint32_t> left() {
        std::vector<uint32_t> slots;
        for (const ClosedClient& closed : relay_->take_report().closed) {
            EXPECT_EQ(closed.reason, LeaveReason::idle);
            slots.push_back(index_of(closed.client.slot));
        }
        std::sort(slots.begin(), slots.end());
        return slots;
    }

    Segment segment_ = Segment::create({.users = 2,
        .workers = 1,
        .log_bytes = log_bytes_min,
        .settings = {.stall_limit_ms = 3'600'000,
            .max_rate_bytes = max_rate_bytes,
            .idle_timeout_ms = static_cast<uint32_t>(idle_timeout.count())}});
    UserTable users_{segment_};
    std::optional<EventQueue> events_;
    std::vector<FdPair> pipes_ = make_pipes(1);
    Doorbells doorbells_{segment_.worker_table(), pipes_};
    Doorbell doorbell_{segment_.worker_table()[0], pipes_[0].first.get()};
    std::array<UniqueFd, 2> peers_;
    std::array<UniqueFd, 2> sockets_; // as the escrow's
    std::optional<Relay> relay_;
};

using Slots = std::vector<uint32_t>;

TEST_F(LimitsTest, ASilentClientIsIdleAfterTheTimeout) {
    join(0);
    pass_idle_time(idle_timeout / 2);
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout);
    EXPECT_EQ(left(), Slots{0});
}

// The worker has not read it yet when the time is over.
TEST_F(LimitsTest, AClientThatSentIsNotIdle) {
    join(0);
    join(1);
    say(1, "here I am");
    rewind(0, idle_timeout);
    rewind(1, idle_timeout);
    begin_worker();
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{0});
    EXPECT_EQ(heard_by(0), "here I am");
}

TEST_F(LimitsTest, ATakeoverDoesNotRestartTheIdleTimeout) {
    join(0);
    rewind(0, idle_timeout / 2);
    begin_worker();
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout / 2);
    EXPECT_EQ(left(), Slots{0});
}

TEST_F(LimitsTest, AStandstillDoesNotCountAsIdleTime) {
    join(0);
    stand_still(2 * idle_timeout);
    pass_idle_time(2 * idle_timeout); // by the clock on the wall
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(3 * idle_timeout);
    EXPECT_EQ(left(), Slots{0}) << "the clock goes on afterwards";
}

// The worker is stopped, found, killed and replaced; meanwhile no worker reads.
TEST_F(LimitsTest, TheTimeOfAHungWorkerDoesNotCountAsIdleTime) {
    join(0);
    stand_still(2 * idle_timeout);
    rewind(0, 2 * idle_timeout);
    begin_worker();
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout);
    EXPECT_EQ(left(), Slots{0});
}

TEST_F(LimitsTest, TheWorkerSleepsAtMostASmallPartOfARunningLimit) {
    EXPECT_EQ(time_to_sleep(), std::chrono::nanoseconds::max());
    join(0);
    EXPECT_EQ(time_to_sleep(), ServedClock::sleep_max(idle_timeout));
}

// A value that no worker stores disconnects no client and keeps none forever.
TEST_F(LimitsTest, AnInstantInTheFutureCountsAsThePresent) {
    join(0);
    join(1);
    users_[slot_0].heard_ns = ~0ULL;
    users_[slot_1].heard_ns = 0;
    begin_worker();
    pass_idle_time(idle_timeout / 2);
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout);
    EXPECT_EQ(left(), (Slots{0, 1}));
}

// The reason outlives the worker.
TEST_F(LimitsTest, AnIdleClientClosedAcrossATakeoverKeepsItsReason) {
    join(0);
    users_[slot_0].idled = 1;
    users_.close(id_of(0), 0);
    begin_worker();
    EXPECT_EQ(left(), Slots{0});
}

TEST_F(LimitsTest, AClientAboveTheRateIsNotReadUntilItsRateAllows) {
    join(0);
    join(1);
    const std::string all(max_rate_bytes + 1000, 't');
    say(0, all);
    serve();
    serve();
    EXPECT_EQ(heard_by(1), all.substr(0, max_rate_bytes));
    ASSERT_EQ(relay_->take_report().throttled, std::vector{id_of(0)});
    EXPECT_EQ(heard_by(0), "you are sending too fast: 4096 bytes a second are read!\n");

    say(1, "others are not held up");
    serve();
    EXPECT_EQ(heard_by(0), "others are not held up");
    EXPECT_EQ(heard_by(1), "");

    const auto empty = std::chrono::seconds(1);
    relay_->timer(Timer::rate, {{}, RateLimit::Clock::now() + empty});
    std::string rest;
    while (rest.size() < 1000) { // in pieces, since the clock has not advanced in truth
        serve();
        relay_->timer(Timer::rate, {{}, RateLimit::Clock::now() + empty});
        rest += heard_by(1);
    }
    EXPECT_EQ(rest, all.substr(max_rate_bytes));
    EXPECT_TRUE(relay_->take_report().throttled.empty()) << "each is said once";
    EXPECT_EQ(heard_by(0), "") << "and sent once";
}

// A second of the steady clock is a second's worth, whatever the server did meanwhile.
TEST_F(LimitsTest, AStandstillDoesNotLowerTheRate) {
    join(0);
    join(1);
    say(0, std::string(max_rate_bytes + 1000, 't'));
    serve();
    serve();
    ASSERT_EQ(relay_->take_report().throttled, std::vector{id_of(0)});
    stand_still(std::chrono::hours(1));
    const auto later = RateLimit::Clock::now() + std::chrono::minutes(1);
    std::string heard;
    while (heard.size() < max_rate_bytes + 1000 && RateLimit::Clock::now() < later) {
        relay_->timer(Timer::rate, {{}, later});
        serve();
        heard += heard_by(1);
    }
    EXPECT_EQ(heard.size(), max_rate_bytes + 1000);
}

// The client may have sent much meanwhile.
TEST_F(LimitsTest, AClientThatIsNotReadIsNotIdle) {
    join(0);
    say(0, std::string(max_rate_bytes + 1000, 't'));
    serve();
    serve();
    ASSERT_EQ(relay_->take_report().throttled, std::vector{id_of(0)});
    for (int i = 0; i < 3; ++i) {
        pass_idle_time(2 * idle_timeout);
        EXPECT_EQ(left(), Slots{});
    }
}

TEST_F(LimitsTest, ASuccessorDoesNotRepeatTheNotice) {
    join(0);
    const std::string much(3 * max_rate_bytes, 't');
    say(0, much);
    serve();
    serve();
    EXPECT_EQ(heard_by(0).size(), 56U);
    begin_worker();
    serve();
    serve();
    EXPECT_EQ(relay_->take_report().throttled, std::vector{id_of(0)})
        << "but the master learns of it";
    EXPECT_EQ(heard_by(0), "");
}

} // namespace
} // namespace chatserv
