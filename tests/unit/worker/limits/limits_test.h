// The fixture of tests of the limits on what clients send: the Relay of one worker, with sockets of
// this process and a clock of the test.
#pragma once

#include "shared/segment/relay_settings.h"
#include "tests/unit/small_segment.h"
#include "worker/lifecycle/departure_note.h"
#include "worker/relay.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace chatserv {
using std::chrono::milliseconds;

// The tests go back in time by at most this much, and time begins when the machine starts.
inline const milliseconds idle_timeout = std::min(milliseconds(60'000),
    std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()) /
        2);
inline constexpr int buffer_bytes = 65'536;
inline constexpr uint32_t max_rate_bytes = 4096; // the smallest capacity of a bucket

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
        relay_.emplace(segment_, entry_0, *events_, doorbells_, segment_.heartbeats()[0],
            account_of, *settings_in_force(segment_.settings()));
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

    // A reload changes the settings, and the worker is told.
    void change(RelaySettings settings) {
        put_in_force(segment_.settings(), settings);
        relay_->follow(settings);
        relay_->settle();
    }
    RelaySettings settings() const { return *settings_in_force(segment_.settings()); }
    static uint64_t steady_ns() {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<uint64_t>(std::chrono::nanoseconds(now).count());
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

} // namespace chatserv
