// A client that moves from one live worker to another: when its worker lets it go, and that the
// next one carries on exactly there.
#include "tests/unit/worker/lifecycle/two_workers_test.h"

#include "shared/segment/broadcast_log.h"

namespace chatserv {
namespace {

using HandingOverTest = ThreeTalkersTest;

TEST_F(HandingOverTest, TheNextWorkerServesTheClient) {
    expect_that_all_can_talk();
    ASSERT_TRUE(asked_for(0, entry_0));
    EXPECT_EQ(status(0).state, SlotState::handed_over);
    EXPECT_EQ(status(0).owner, entry_0);
    give_to(0, entry_0, entry_1);
    EXPECT_EQ(status(0).state, SlotState::attached);
    EXPECT_EQ(status(0).owner, entry_1);
    EXPECT_EQ(worker(entry_1).take_report().attached.back(), client_id(0));
    expect_that_all_can_talk();
}

TEST_F(HandingOverTest, AClientCanComeBack) {
    for (int round = 0; round < 3; ++round) {
        move(0, entry_0, entry_1);
        expect_that_all_can_talk();
        move(0, entry_1, entry_0);
        expect_that_all_can_talk();
    }
}

TEST_F(HandingOverTest, WhatIsSentMeanwhileIsDelivered) {
    say(1, "before; ");
    serve(entry_1);
    ASSERT_TRUE(asked_for(0, entry_0));
    say(1, "meanwhile; ");
    serve(entry_1);
    say(0, "sent to nobody yet;");
    give_to(0, entry_0, entry_1);
    serve_both();
    serve_both();
    EXPECT_EQ(heard_by(0), "before; meanwhile; ");
    EXPECT_EQ(heard_by(1), "sent to nobody yet;");
}

// Otherwise the client's bytes would be published without the next worker's knowing that they are
// its own, and behind what it sends then.
TEST_F(HandingOverTest, AClientStaysUntilItsBytesArePublished) {
    lock_log();
    say(0, "first, ");
    serve(entry_0);
    EXPECT_FALSE(asked_for(0, entry_0));
    EXPECT_EQ(status(0).state, SlotState::attached);
    say(0, "second; ");
    serve(entry_0);
    EXPECT_FALSE(is_told_of(0, entry_0));
    unlock_log();
    worker(entry_0).settle();
    ASSERT_TRUE(is_told_of(0, entry_0));
    say(0, "third;");
    give_to(0, entry_0, entry_1);
    serve_both();
    serve_both();
    EXPECT_EQ(heard_by(0), "") << "its own bytes";
    EXPECT_EQ(heard_by(1), "first, second; third;");
    EXPECT_EQ(heard_by(2), "first, second; third;");
}

// Its cursor is below them: the worker publishes, and lets it go before it delivers.
TEST_F(HandingOverTest, TheNextWorkerLeavesOutTheClientsOwnBytes) {
    say(0, "mine; ");
    say(2, "another's; ");
    (void)take_events(entry_0);
    ASSERT_TRUE(asked_for(0, entry_0));
    ASSERT_LT(cursor_of(users_[slot_0]).log_offset, BroadcastLog(segment_).head());
    give_to(0, entry_0, entry_1);
    EXPECT_EQ(heard_by(0), "another's; ");
    serve_both();
    EXPECT_EQ(heard_by(1), "mine; another's; ");
    EXPECT_EQ(heard_by(2), "mine; ");
    expect_that_all_can_talk();
}

// Client 0 comes when it has everything, and lags behind when client 2 comes, who lags too: then
// the next worker looks through the log for what client 2 has sent.
TEST_F(HandingOverTest, OwnBytesAreLeftOutOnceHoweverManyClientsComeLater) {
    move(0, entry_0, entry_1);
    const std::string piece(4000, 'm');
    while (BroadcastLog(segment_).head() < 10 * piece.size()) { // more than their sockets take
        say(1, piece);
        serve_both();
    }
    std::string due(BroadcastLog(segment_).head(), 'm');
    for (const char* const one : {"1", "2", "3"}) {
        say(0, "of client 0;");
        serve_both();
        say(1, one);
        serve_both();
        due += one;
    }
    move(2, entry_0, entry_1);
    std::string heard;
    while (heard.size() < due.size()) {
        heard += heard_by(0);
        serve_both();
    }
    heard += heard_by(0);
    EXPECT_EQ(heard, due);
}

TEST_F(HandingOverTest, AClientThatWaitsToBeAttachedIsLetGoOnceItIs) {
    lock_log();
    join(3, entry_0);
    EXPECT_FALSE(asked_for(3, entry_0));
    EXPECT_EQ(status(3).state, SlotState::assigned);
    unlock_log();
    worker(entry_0).settle();
    const Report report = worker(entry_0).take_report();
    EXPECT_EQ(report.attached, std::vector(1, client_id(3)));
    EXPECT_EQ(report.handed_over, std::vector(1, client_id(3)));
    EXPECT_EQ(status(3).state, SlotState::handed_over);
}

// The request comes before the client.
TEST_F(HandingOverTest, AClientThatIsStillToComeIsLetGoOnceItIsThere) {
    users_.assign(client_id(3), entry_0);
    EXPECT_FALSE(asked_for(3, entry_0));
    users_.release(client_id(3));
    join(3, entry_0);
    EXPECT_TRUE(is_told_of(3, entry_0));
}

TEST_F(HandingOverTest, AClientThatHasLeftIsNotHandedOver) {
    peers_[0].reset();
    serve(entry_0);
    EXPECT_FALSE(asked_for(0, entry_0));
    EXPECT_EQ(status(0).state, SlotState::closing);
    users_.release(client_id(0));
    join(0, entry_0);
    EXPECT_FALSE(is_told_of(0, entry_0)) << "the request is forgotten";
}

TEST_F(HandingOverTest, AClientWhoseConnectionIsBrokenLeavesHere) {
    say(1, "to a socket without a peer");
    serve(entry_1);
    peers_[0].reset();
    worker(entry_0).settle(); // the write fails, and nothing has been read
    EXPECT_FALSE(asked_for(0, entry_0));
    EXPECT_EQ(status(0).state, SlotState::attached);
    serve(entry_0);
    const Report report = worker(entry_0).take_report();
    EXPECT_TRUE(report.handed_over.empty());
    ASSERT_EQ(report.closed.size(), 1U);
    EXPECT_EQ(report.closed[0].client, client_id(0));
}

TEST_F(HandingOverTest, AClientThatTheWorkerDoesNotServeIsPassedOver) {
    const std::vector<ClientId> others{
        client_id(1), client_id(0, 7), client_id(3), client_id(users_max)};
    worker(entry_0).hand_over(others);
    worker(entry_0).settle();
    EXPECT_TRUE(worker(entry_0).take_report().handed_over.empty());
    EXPECT_EQ(status(1).state, SlotState::attached);
    expect_that_all_can_talk();
}

// A slow reader does not hold up a drain.
TEST_F(HandingOverTest, AClosingClientGetsTheRestFromTheNextWorker) {
    const std::string piece(4000, 'm');
    const size_t much = 12 * piece.size(); // more than the client's socket takes
    while (BroadcastLog(segment_).head() < much) {
        say(1, piece);
        serve(entry_1);
    }
    ASSERT_EQ(::shutdown(peers_[0].get(), SHUT_WR), 0);
    serve(entry_0);
    ASSERT_EQ(status(0).state, SlotState::closing);
    say(1, "after its end");
    serve(entry_1);
    ASSERT_TRUE(asked_for(0, entry_0));
    EXPECT_EQ(status(0).state, SlotState::closing);
    give_to(0, entry_0, entry_1);
    std::string heard;
    std::vector<ClosedClient> closed;
    while (closed.empty()) {
        heard += heard_by(0);
        serve(entry_1);
        closed = worker(entry_1).take_report().closed;
    }
    heard += heard_by(0);
    EXPECT_EQ(heard.size(), much);
    EXPECT_EQ(heard.find_first_not_of('m'), std::string::npos);
    EXPECT_EQ(closed.front().client, client_id(0));
    EXPECT_EQ(closed.front().reason, LeaveReason::end_of_file);
}

TEST_F(HandingOverTest, NobodyIsHandedOverOnceTheServerStops) {
    lock_log();
    say(0, "x");
    serve(entry_0);
    EXPECT_FALSE(asked_for(0, entry_0));
    worker(entry_0).stop_reading();
    unlock_log();
    worker(entry_0).settle();
    EXPECT_FALSE(is_told_of(0, entry_0));
    EXPECT_FALSE(asked_for(0, entry_0));
    EXPECT_EQ(status(0).state, SlotState::attached);
}

// The master keeps the socket open, so the kernel would go on telling.
TEST_F(HandingOverTest, TheFormerWorkerHearsNoMoreOfTheSocket) {
    serve_both();
    ASSERT_TRUE(asked_for(0, entry_0));
    say(0, "to the next worker");
    EXPECT_EQ(take_events(entry_0), 0U);
    give_to(0, entry_0, entry_1);
    EXPECT_EQ(take_events(entry_1), 1U);
}

// Otherwise a client that moves often would never have blocked the room for the stall limit.
TEST_F(HandingOverTest, AClientThatBlocksTheRoomStaysUntilItDoesNot) {
    const auto head = [&] { return BroadcastLog(segment_).head(); };
    const std::string piece(4000, 'p');
    while (segment_.log_control().room_wanted == 0) { // client 0 does not read
        say(1, piece);
        serve(entry_1);
        serve(entry_0);
        (void)heard_by(2);
    }
    ASSERT_LT(cursor_of(users_[slot_0]).log_offset, segment_.log_control().room_wanted);
    EXPECT_FALSE(asked_for(0, entry_0));
    const uint64_t before = head();
    bool told = false;
    for (int i = 0; i < 100 && !told; ++i) {
        (void)heard_by(0);
        serve(entry_0);
        told = is_told_of(0, entry_0);
    }
    ASSERT_TRUE(told);
    EXPECT_GE(cursor_of(users_[slot_0]).log_offset, segment_.log_control().room_wanted);
    give_to(0, entry_0, entry_1);
    serve_both();
    EXPECT_GT(head(), before);
}

// The next worker has compared its clients with the wanted offset before.
TEST_F(HandingOverTest, AClientThatArrivesBelowTheWantedOffsetBlocksTheRoomThere) {
    const auto head = [&] { return BroadcastLog(segment_).head(); };
    const std::string piece(4000, 'p');
    say(1, std::string(4000, 'q')); // so that client 0 has to get something
    serve_both();
    while (head() < log_bytes_min / 2) {
        say(1, piece);
        serve(entry_1);
        serve(entry_0);
        (void)heard_by(2);
    }
    ASSERT_TRUE(asked_for(0, entry_0)); // it does not block the room yet
    while (segment_.log_control().room_wanted == 0) {
        say(1, piece);
        serve_both();
        (void)heard_by(2);
    }
    serve_both();
    const uint64_t before = head();
    ASSERT_LT(cursor_of(users_[slot_0]).log_offset, segment_.log_control().room_wanted);
    give_to(0, entry_0, entry_1);
    serve_both();
    EXPECT_EQ(head(), before);
    for (int i = 0; i < 100 && head() == before; ++i) {
        (void)heard_by(0);
        serve_both();
        (void)heard_by(2);
    }
    EXPECT_GT(head(), before) << "its new worker wakes the appender";
}

} // namespace
} // namespace chatserv
