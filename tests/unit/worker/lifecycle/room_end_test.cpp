// The room of several hosts is over on this one: each client is sent what the log holds for it, and
// then the line that says so, by whichever worker serves it.
#include "shared/segment/last_line.h"
#include "tests/unit/small_bridge.h"
#include "tests/unit/worker/lifecycle/two_workers_test.h"

#include <csignal>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Result = BridgedAppender::Result;

const std::string line(room_over_line);

// Clients 0 and 2 are of worker 1, client 1 of worker 2.
class RoomEndTest : public TwoWorkersTest, protected SmallBridge {
protected:
    explicit RoomEndTest(uint32_t stall_limit_ms = 3'600'000) :
        TwoWorkersTest(SegmentConfig{.users = 4,
            .workers = 2,
            .log_bytes = joined_log_bytes_min,
            .outbound_bytes = joined_log_bytes_min,
            .settings = {.stall_limit_ms = stall_limit_ms, .min_drain_bytes = 1000}}),
        SmallBridge(segment_) {
        std::signal(SIGPIPE, SIG_IGN);
    }

    void join_three() {
        join(0, entry_0);
        join(1, entry_1);
        join(2, entry_0);
    }
    void join_as(Role role, uint32_t slot, EntryId entry) {
        users_[SlotId{slot}].role = static_cast<uint8_t>(role);
        join(slot, entry);
    }
    void come_from_elsewhere(const std::string& text) {
        ASSERT_EQ(append_from_elsewhere(text), Result::appended);
        serve_both();
    }
    // What client 0 does not read, of which its socket takes a part.
    std::string come_too_much() {
        std::string all;
        for (int i = 0; i < 150; ++i) {
            const std::string text = std::to_string(i) + std::string(1000, 'x') + "\n";
            come_from_elsewhere(text);
            all += text;
            (void)heard_by(1);
            (void)heard_by(2);
        }
        return all;
    }
    void end_room(EntryId entry) {
        worker(entry).stop_reading();
        worker(entry).finish(LeaveReason::room_over);
        worker(entry).settle();
    }
    void end_room() {
        segment_.room().report.loss = 1;
        end_room(entry_0);
        end_room(entry_1);
        serve_both();
    }
    // Why it has left, as its worker tells; nothing if it has not.
    std::optional<LeaveReason> why_left(uint32_t slot) {
        for (const EntryId entry : {entry_0, entry_1})
            for (const ClosedClient& closed : worker(entry).take_report().closed)
                told_[index_of(closed.client.slot)] = closed.reason;
        return told_[slot];
    }
    // Some systems acknowledge only when a timer asks.
    void wait_until_left(uint32_t slot, EntryId entry) {
        while (!why_left(slot)) {
            worker(entry).timer(Timer::linger, {worker(entry).clock().now(), {}});
            worker(entry).timer(Timer::room, {worker(entry).clock().now(), {}});
            worker(entry).settle();
        }
    }

    std::array<std::optional<LeaveReason>, 4> told_{};
};

TEST_F(RoomEndTest, EveryoneIsSentTheRestAndThenTheLine) {
    join_three();
    say(0, "mine ");
    serve_both();
    ASSERT_TRUE(bring_back());
    ASSERT_EQ(append_from_elsewhere("last words\n"), Result::appended);
    end_room();
    const std::array<std::string, 3> due{
        "last words\n" + line, "mine last words\n" + line, "mine last words\n" + line};
    for (uint32_t slot = 0; slot < 3; ++slot) {
        EXPECT_EQ(heard_by(slot), due[slot]) << "client " << slot;
        wait_until_left(slot, slot == 1 ? entry_1 : entry_0);
        EXPECT_EQ(why_left(slot), LeaveReason::room_over) << "client " << slot;
    }
}

TEST_F(RoomEndTest, OneWhoseSocketIsFullIsSentAllOfItWhenItReads) {
    join_three();
    const std::string all = come_too_much();
    end_room();
    EXPECT_EQ(why_left(0), std::nullopt);
    std::string got;
    while (got.size() < all.size() + line.size()) {
        got += heard_by(0);
        serve_both();
    }
    EXPECT_EQ(got, all + line);
    wait_until_left(0, entry_0);
    EXPECT_EQ(why_left(0), LeaveReason::room_over);
}

// Each worker dies when its client has read once more.
TEST_F(RoomEndTest, SuccessorsGoOnWithIt) {
    join_three();
    const std::string all = come_too_much();
    end_room();
    std::string got;
    for (int deaths = 0; got.size() < all.size() + line.size(); ++deaths) {
        ASSERT_LT(deaths, 1000) << "nothing more comes";
        got += heard_by(0);
        begin_worker(entry_0);
        if (deaths % 2 == 0)
            serve_both();
        end_room(entry_0);
    }
    EXPECT_EQ(got, all + line);
    wait_until_left(0, entry_0);
    EXPECT_EQ(why_left(0), LeaveReason::room_over);
    EXPECT_EQ(heard_by(0), "");
}

// W6, W11
TEST_F(RoomEndTest, OneThatHasNoPlaceInTheLogIsToldOnce) {
    join_as(Role::speak, 0, entry_0);
    join_as(Role::resume, 1, entry_1);
    come_from_elsewhere("half a li");
    for (const uint32_t slot : {0U, 1U}) {
        const EntryId entry = slot == 0 ? entry_0 : entry_1;
        // The predecessor died with the place given and the slot attached.
        move_cursor(users_[SlotId{slot}], {0, segment_.log_control().head});
        begin_worker(entry);
        end_room(entry);
        EXPECT_EQ(heard_by(slot), line);
        begin_worker(entry);
        end_room(entry);
        EXPECT_EQ(heard_by(slot), "");
        wait_until_left(slot, entry);
        EXPECT_EQ(why_left(slot), LeaveReason::room_over);
    }
}

TEST_F(RoomEndTest, OneThatHasYetToSayFromWhereItResumesIsTold) {
    join_as(Role::resume, 0, entry_0);
    join_as(Role::speak, 1, entry_1);
    come_from_elsewhere("half a li");
    end_room();
    EXPECT_EQ(heard_by(0), line);
    EXPECT_EQ(heard_by(1), line);
}

TEST_F(RoomEndTest, ASourceIsSentTheLogAlone) {
    users_[SlotId{0}].source = 1;
    join_three();
    come_from_elsewhere("text\n");
    end_room();
    EXPECT_EQ(heard_by(0), "text\n");
    wait_until_left(0, entry_0);
    EXPECT_EQ(why_left(0), LeaveReason::room_over);
}

TEST_F(RoomEndTest, OneWhoseLastWordsDoNotComeBackIsTold) {
    join_three();
    say(0, "bye ");
    ASSERT_EQ(::shutdown(peers_[0].get(), SHUT_WR), 0);
    serve_both();
    EXPECT_EQ(status(0).state, SlotState::attached);
    end_room();
    EXPECT_EQ(heard_by(0), line);
}

// The master counts what does not come back, before it has the workers finish.
TEST_F(RoomEndTest, OneWhoseLastWordsAreThrownAwayIsTold) {
    join_three();
    say(0, "bye ");
    ASSERT_EQ(::shutdown(peers_[0].get(), SHUT_WR), 0);
    serve_both();
    segment_.room().report.loss = 1;
    (void)outbound.count_up_to(outbound.head());
    serve_both();
    EXPECT_EQ(heard_by(0), line);
    wait_until_left(0, entry_0);
    EXPECT_EQ(why_left(0), LeaveReason::room_over);
}

TEST_F(RoomEndTest, OneWhoseLastWordsHaveComeBackHasLeftInOrder) {
    join_three();
    say(0, "bye ");
    ASSERT_EQ(::shutdown(peers_[0].get(), SHUT_WR), 0);
    serve_both();
    ASSERT_TRUE(bring_back());
    end_room();
    EXPECT_EQ(heard_by(0), "");
    wait_until_left(0, entry_0);
    EXPECT_EQ(why_left(0), LeaveReason::end_of_file);
}

TEST_F(RoomEndTest, OneThatHasLeftOfItsOwnAccordIsNotTold) {
    join_three();
    const std::string all = come_too_much();
    ASSERT_EQ(::shutdown(peers_[0].get(), SHUT_WR), 0);
    serve_both();
    ASSERT_EQ(status(0).state, SlotState::closing);
    end_room();
    std::string got;
    while (!why_left(0)) {
        got += heard_by(0);
        serve_both();
    }
    got += heard_by(0);
    EXPECT_EQ(got, all);
    EXPECT_EQ(why_left(0), LeaveReason::end_of_file);
}

TEST_F(RoomEndTest, OneThatComesTooLateIsTold) {
    join_three();
    come_from_elsewhere("text\n");
    end_room();
    join(3, entry_1);
    serve_both();
    EXPECT_EQ(heard_by(3), line);
}

class BriefRoomEndTest : public RoomEndTest {
protected:
    BriefRoomEndTest() : RoomEndTest(20) {}
};

TEST_F(BriefRoomEndTest, OneThatReadsNothingIsDisconnectedAfterTheStallLimit) {
    join_three();
    (void)come_too_much();
    end_room();
    ASSERT_EQ(why_left(0), std::nullopt);
    wait_until_left(0, entry_0);
    EXPECT_EQ(why_left(0), LeaveReason::room_unread);
    begin_worker(entry_0); // the master has not heard of it
    EXPECT_EQ(why_left(0), LeaveReason::room_unread);
}

// Client 0 keeps the log full, and its time for that is over.
class FullRoomEndTest : public RoomEndTest {
protected:
    static constexpr uint64_t limit_ns = 10'000'000'000;
    FullRoomEndTest() : RoomEndTest(limit_ns / 1'000'000) {}

    void SetUp() override {
        uint64_t& stood_still_ns = segment_.worker_table()[0].served.stood_still_ns;
        stood_still_ns = 2 * limit_ns; // less than any machine has been up
        join_three();
        all_ = come_too_much();
        std::string text;
        do {
            all_ += text;
            serve_both();
            (void)heard_by(1);
            (void)heard_by(2);
            text = std::to_string(all_.size()) + std::string(1000, 'y') + "\n";
        } while (append_from_elsewhere(text) == Result::appended);
        serve_both();                   // it is below what the bridge wants
        stood_still_ns -= limit_ns + 1; // as if the clock had been looked at regularly
    }
    void look_at_the_time() {
        worker(entry_0).timer(Timer::room, {worker(entry_0).clock().now(), {}});
    }

    std::string all_;
};

TEST_F(FullRoomEndTest, WhileTheRoomGoesOnItHasToLeave) {
    look_at_the_time();
    EXPECT_EQ(why_left(0), LeaveReason::stalled);
}

TEST_F(FullRoomEndTest, OnceTheRoomIsOverItIsInNobodysWay) {
    end_room();
    look_at_the_time();
    EXPECT_EQ(why_left(0), std::nullopt);
    std::string got;
    while (got.size() < all_.size() + line.size()) {
        got += heard_by(0);
        serve_both();
    }
    EXPECT_EQ(got, all_ + line);
}

} // namespace
} // namespace chatserv
