// Clients that an operator ends: what they and the others get, and what a successor makes of one
// that was about to leave.
#include "tests/unit/worker/lifecycle/two_workers_test.h"

#include <gmock/gmock.h>

namespace chatserv {
namespace {

using testing::IsEmpty;

class SendingAwayTest : public ThreeTalkersTest {
protected:
    void kick(uint32_t slot, EntryId entry = entry_0) {
        const ClientId client = client_id(slot);
        worker(entry).kick(std::span(&client, 1));
    }
    // Why the client has left, as the worker tells the master; nothing if it has not.
    std::optional<LeaveReason> why_left(uint32_t slot, EntryId entry = entry_0) {
        for (const ClosedClient& closed : worker(entry).take_report().closed)
            if (closed.client == client_id(slot))
                return closed.reason;
        return std::nullopt;
    }
    // Until the client's socket takes nothing more.
    void fill(uint32_t slot) {
        const std::string text(8192, 'x');
        const UniqueFd& peer = peers_[1];
        for (int i = 0; i < 6; ++i) {
            ASSERT_EQ(
                ::write(peer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
            serve_both();
            (void)heard_by(2 - slot);
        }
    }
};

TEST_F(SendingAwayTest, EndsTheClientInTheTotalOrder) {
    say(0, "last words;");
    (void)take_events(entry_0); // read and not published
    say(1, "heard by all;");
    serve(entry_1);
    kick(0);
    serve_both();
    EXPECT_EQ(heard_by(0), "heard by all;");
    EXPECT_EQ(heard_by(1), "last words;");
    EXPECT_EQ(why_left(0), LeaveReason::kicked);
    kick(0);
    EXPECT_EQ(why_left(0), std::nullopt) << "it is gone";
    kick(1);
    EXPECT_EQ(why_left(1), std::nullopt) << "it is another worker's";
}

TEST_F(SendingAwayTest, DisconnectsAReaderThatTakesNothingAtOnce) {
    fill(0);
    ASSERT_EQ(status(0).state, SlotState::attached);
    kick(0);
    EXPECT_EQ(why_left(0), LeaveReason::kicked);
    EXPECT_EQ(status(0).state, SlotState::closing);
    EXPECT_EQ(cursor_of(users_[slot_0]).log_offset, log_offset_none);
}

// A reload lets it go; it has all that was said before, unless it is too slow for the stall limit.
TEST_F(SendingAwayTest, ASourceThatIsBehindGetsWhatItIsDue) {
    users_[slot_0].source = 1;
    fill(0);
    kick(0);
    EXPECT_EQ(why_left(0), std::nullopt);
    worker(entry_0).settle();
    EXPECT_EQ(status(0).state, SlotState::closing);
}

// One that has ended its input and does not read what is left is such a reader too.
TEST_F(SendingAwayTest, DisconnectsAClosingReaderAtOnce) {
    fill(0);
    ASSERT_EQ(::shutdown(peers_[0].get(), SHUT_WR), 0);
    serve_both();
    ASSERT_EQ(status(0).state, SlotState::closing);
    ASSERT_EQ(why_left(0), std::nullopt);
    kick(0);
    EXPECT_EQ(why_left(0), LeaveReason::kicked);
}

TEST_F(SendingAwayTest, AClientThatIsLeavingKeepsItsReason) {
    ASSERT_EQ(::shutdown(peers_[0].get(), SHUT_WR), 0);
    (void)take_events(entry_0);
    kick(0);
    serve_both();
    EXPECT_EQ(why_left(0), LeaveReason::end_of_file);
}

// W6: the worker dies with the client's end begun, and with the client disconnected.
TEST_F(SendingAwayTest, TheReasonOutlivesTheWorker) {
    lock_log(); // nothing is published, so the client stays
    say(2, "not published;");
    (void)take_events(entry_0);
    kick(0);
    worker(entry_0).settle();
    EXPECT_EQ(status(0).state, SlotState::attached);
    unlock_log();
    begin_worker(entry_0); // it has forgotten the kick, and the master asks again
    serve_both();
    EXPECT_EQ(why_left(0), std::nullopt);
    kick(0);
    worker(entry_0).settle();
    ASSERT_EQ(status(0).state, SlotState::closing);
    begin_worker(entry_0);
    EXPECT_EQ(why_left(0), LeaveReason::kicked);
}

TEST_F(SendingAwayTest, TheReasonOfADisconnectedReaderOutlivesTheWorker) {
    fill(0);
    kick(0);
    begin_worker(entry_0); // the master was not told
    EXPECT_EQ(why_left(0), LeaveReason::kicked);
}

TEST_F(SendingAwayTest, AValueThatNoWorkerStoresIsNoReason) {
    kick(0);
    worker(entry_0).settle();
    for (const uint32_t nonsense : {~0U, static_cast<uint32_t>(LeaveReason::overwritten)}) {
        users_[slot_0].departure = nonsense;
        begin_worker(entry_0);
        EXPECT_EQ(why_left(0), LeaveReason::end_of_file);
    }
    EXPECT_THAT(heard_by(2), IsEmpty());
}

} // namespace
} // namespace chatserv
