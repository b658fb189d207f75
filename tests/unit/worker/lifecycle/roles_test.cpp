// Clients that only listen, and clients that only speak. Worker 1 serves clients 0 and 2, worker 2
// serves client 1, who talks.
#include "tests/unit/worker/lifecycle/two_workers_test.h"

namespace chatserv {
namespace {

class RolesTest : public TwoWorkersTest {
protected:
    RolesTest() { std::signal(SIGPIPE, SIG_IGN); }

    void join_as(Role role, uint32_t slot, EntryId entry) {
        users_[SlotId{slot}].role = static_cast<uint8_t>(role);
        join(slot, entry);
    }

    void end_input_of(uint32_t slot) { ASSERT_EQ(::shutdown(peers_[slot].get(), SHUT_WR), 0); }

    // Handles what there is until nothing is left. A filter that goes on telling of one state would
    // never let it end.
    void serve_until_all_rest() {
        size_t events = 1;
        for (int turn = 0; events > 0; ++turn) {
            ASSERT_LT(turn, 100) << "the workers find no rest";
            events = take_events(entry_0) + take_events(entry_1);
            worker(entry_0).settle();
            worker(entry_1).settle();
        }
    }

    std::vector<ClosedClient> closed_by(EntryId entry) {
        return worker(entry).take_report().closed;
    }
};

TEST_F(RolesTest, AListenerHearsAndIsNotHeard) {
    join_as(Role::listen, 0, entry_0);
    join(1, entry_1);
    say(0, "nobody gets this");
    say(1, "hello");
    serve_both();
    EXPECT_EQ(heard_by(0), "hello");
    EXPECT_EQ(heard_by(1), "");
    EXPECT_EQ(segment_.log_control().head, 5U);
    EXPECT_EQ(users_[SlotId{0}].bytes_read, 0U);
}

TEST_F(RolesTest, TheEndOfFileOfAListenerIsNotItsEnd) {
    join_as(Role::listen, 0, entry_0);
    join(1, entry_1);
    say(0, "its last words");
    end_input_of(0);
    serve_until_all_rest();
    EXPECT_EQ(status(0).state, SlotState::attached);
    say(1, "hello");
    serve_both();
    EXPECT_EQ(heard_by(0), "hello");
    serve_until_all_rest();
    EXPECT_TRUE(closed_by(entry_0).empty());
}

TEST_F(RolesTest, ASuccessorGoesOnWithAListenerWhoseInputHasEnded) {
    join_as(Role::listen, 0, entry_0);
    join(1, entry_1);
    end_input_of(0);
    serve_until_all_rest();
    begin_worker(entry_0);
    serve_until_all_rest();
    move(0, entry_0, entry_1);
    serve_until_all_rest();
    say(1, "hello");
    serve_until_all_rest();
    EXPECT_EQ(heard_by(0), "hello");
    EXPECT_EQ(status(0).owner, entry_1);
    EXPECT_TRUE(closed_by(entry_0).empty());
}

// At once where the system tells, otherwise at the next write.
TEST_F(RolesTest, AListenerThatHasGoneLeaves) {
    join_as(Role::listen, 0, entry_0);
    join(1, entry_1);
    end_input_of(0);
    serve_until_all_rest();
    peers_[0].reset();
    say(1, "hello");
    serve_until_all_rest();
    const std::vector<ClosedClient> closed = closed_by(entry_0);
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed[0].client, client_id(0));
    EXPECT_EQ(closed[0].reason, LeaveReason::end_of_file);
}

TEST_F(RolesTest, ASpeakerIsHeardAndIsSentNothing) {
    join_as(Role::speak, 0, entry_0);
    join(1, entry_1);
    say(0, "first");
    say(1, "hello");
    serve_until_all_rest();
    EXPECT_EQ(heard_by(0), "");
    EXPECT_EQ(heard_by(1), "first");
    EXPECT_EQ(cursor_of(users_[SlotId{0}]).log_offset, log_offset_none);
    say(0, ", second");
    end_input_of(0);
    serve_until_all_rest();
    EXPECT_EQ(heard_by(1), ", second");
    const std::vector<ClosedClient> closed = closed_by(entry_0);
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed[0].reason, LeaveReason::end_of_file);
}

TEST_F(RolesTest, ASpeakerStaysOneWhoeverServesIt) {
    join_as(Role::speak, 0, entry_0);
    join(1, entry_1);
    begin_worker(entry_0);
    move(0, entry_0, entry_1);
    say(0, "first");
    say(1, "hello");
    serve_until_all_rest();
    EXPECT_EQ(heard_by(0), "");
    EXPECT_EQ(heard_by(1), "first");
    begin_worker(entry_1);
    say(1, "again");
    serve_until_all_rest();
    EXPECT_EQ(heard_by(0), "");
}

// Nobody hears it, so the log never has to wait for anybody.
TEST_F(RolesTest, ASpeakerNeverHoldsTheLogUp) {
    join_as(Role::speak, 0, entry_0);
    join_as(Role::speak, 1, entry_1);
    const std::string text(8192, 't');
    for (uint64_t sent = 0; sent < 4 * log_bytes_min; sent += text.size()) {
        say(1, text);
        serve_until_all_rest();
    }
    EXPECT_EQ(segment_.log_control().head, 4 * log_bytes_min);
    EXPECT_EQ(segment_.log_control().room_wanted, 0U);
}

TEST_F(RolesTest, AnOperatorCanSendASpeakerAway) {
    join_as(Role::speak, 0, entry_0);
    const ClientId speaker = client_id(0);
    worker(entry_0).kick(std::span(&speaker, 1));
    worker(entry_0).settle();
    worker(entry_0).settle();
    const std::vector<ClosedClient> closed = closed_by(entry_0);
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed[0].reason, LeaveReason::kicked);
}

TEST_F(RolesTest, AByteThatNoMasterWritesMeansToTalk) {
    users_[SlotId{0}].role = 77;
    join(0, entry_0);
    join(1, entry_1);
    say(0, "first");
    say(1, "hello");
    serve_both();
    EXPECT_EQ(heard_by(0), "hello");
    EXPECT_EQ(heard_by(1), "first");
}

} // namespace
} // namespace chatserv
