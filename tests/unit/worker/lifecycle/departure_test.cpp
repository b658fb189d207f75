// W6: a worker disconnects a slow reader, and dies before it says so. Its successor gives the same
// reason, whatever the connection looks like by then.
#include "tests/unit/worker/lifecycle/two_workers_test.h"

#include "worker/lifecycle/departure_note.h"

#include <cerrno>
#include <fcntl.h>

namespace chatserv {
namespace {

class DepartureTest : public TwoWorkersTest {
protected:
    DepartureTest() :
        TwoWorkersTest({.stall_limit_ms = 3'600'000, .slow_policy = SlowPolicy::disconnect}) {
        std::signal(SIGPIPE, SIG_IGN);
    }

    // Client 0 reads nothing, and client 1 sends until the log has no more room.
    void let_it_fall_behind() {
        join(0, entry_0);
        join(1, entry_1);
        ASSERT_EQ(::fcntl(peers_[1].get(), F_SETFL, O_NONBLOCK), 0);
        const std::string text(4096, 't');
        const auto gives_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
        while (status(0).state == SlotState::attached || status(0).state == SlotState::orphaned) {
            ASSERT_LT(std::chrono::steady_clock::now(), gives_up);
            (void)::write(peers_[1].get(), text.data(), text.size());
            serve_both();
            worker(entry_0).timer(Timer::room, {worker(entry_0).clock().now(), {}});
            worker(entry_0).settle();
        }
    }

    std::vector<ClosedClient> closed_by(EntryId entry) {
        return worker(entry).take_report().closed;
    }

    void expect_disconnected(const std::vector<ClosedClient>& closed) {
        ASSERT_EQ(closed.size(), 1U);
        EXPECT_EQ(closed[0].client, client_id(0));
        EXPECT_EQ(closed[0].reason, LeaveReason::fell_behind);
    }
};

TEST_F(DepartureTest, TheSuccessorGivesTheReasonThatItsPredecessorDiedWith) {
    let_it_fall_behind();
    begin_worker(entry_0);
    expect_disconnected(closed_by(entry_0));
}

TEST_F(DepartureTest, SoDoesTheSuccessorsSuccessor) {
    let_it_fall_behind();
    begin_worker(entry_0);
    begin_worker(entry_0);
    expect_disconnected(closed_by(entry_0));
}

// The death came between the note and the cursor. Otherwise the client would be said to have fallen
// behind, and would have everything.
TEST_F(DepartureTest, ADisconnectionThatWasNotedIsCarriedOut) {
    join(0, entry_0);
    join(1, entry_1);
    say(1, "it gets this;");
    serve_both();
    say(1, "and this no more;");
    serve(entry_1);
    users_.close(client_id(0), segment_.log_control().head); // it had sent its end of file
    note_departure(users_[SlotId{0}], {.reason = LeaveReason::fell_behind, .error = 0});
    begin_worker(entry_0);
    expect_disconnected(closed_by(entry_0));
    EXPECT_EQ(heard_by(0), "it gets this;");
}

TEST_F(DepartureTest, AnErrorIsKeptWithItsReason) {
    join(0, entry_0);
    note_departure(users_[SlotId{0}], {.reason = LeaveReason::write_error, .error = ETIMEDOUT});
    users_.close(client_id(0), segment_.log_control().head);
    begin_worker(entry_0);
    const std::vector<ClosedClient> closed = closed_by(entry_0);
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed[0].reason, LeaveReason::write_error);
    EXPECT_EQ(closed[0].error, ETIMEDOUT);
}

TEST_F(DepartureTest, TheNextClientOfTheSlotDoesNotInheritIt) {
    join(0, entry_0);
    note_departure(users_[SlotId{0}], {.reason = LeaveReason::stalled, .error = 0});
    users_.close(client_id(0), segment_.log_control().head);
    begin_worker(entry_0);
    ASSERT_EQ(closed_by(entry_0).size(), 1U);
    users_.release(client_id(0));
    join(0, entry_0);
    users_.close(client_id(0), segment_.log_control().head);
    begin_worker(entry_0);
    const std::vector<ClosedClient> closed = closed_by(entry_0);
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed[0].reason, LeaveReason::end_of_file);
}

// A faulty worker can have written anything. What the master takes for a faulty worker's word must
// not come from its innocent successor.
TEST(DepartureNote, WhatNoWorkerWritesIsAnEndOfFile) {
    UserSlot slot{};
    for (const uint32_t word : {0U, 9U, 10U, 77U, 0xffffffffU, 0x1234'5600U}) {
        slot.departure = word;
        EXPECT_EQ(departure_noted(slot).reason, LeaveReason::end_of_file) << word;
        EXPECT_EQ(departure_noted(slot).error, 0) << word;
    }
}

} // namespace
} // namespace chatserv
