// The workers of a server that has joined a room: what they read goes out, and what comes back in
// the room's order is relayed, to each client without its own bytes.
#include "shared/segment/atomic_word.h"
#include "tests/unit/small_bridge.h"
#include "tests/unit/worker/lifecycle/two_workers_test.h"

#include <csignal>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Result = BridgedAppender::Result;
using std::chrono::seconds;

// Clients 0 and 2 are of worker 1, client 1 of worker 2.
class JoinedTest : public TwoWorkersTest, protected SmallBridge {
protected:
    JoinedTest() :
        TwoWorkersTest(SegmentConfig{.users = 4,
            .workers = 2,
            .log_bytes = joined_log_bytes_min,
            .outbound_bytes = joined_log_bytes_min,
            .settings = {.stall_limit_ms = 3'600'000}}),
        SmallBridge(segment_) {
        std::signal(SIGPIPE, SIG_IGN);
    }
    void SetUp() override {
        join(0, entry_0);
        join(1, entry_1);
        join(2, entry_0);
    }

    void send(uint32_t slot, const std::string& text) {
        say(slot, text);
        serve_both();
    }
    void end(uint32_t slot) {
        ASSERT_EQ(::shutdown(peers_[slot].get(), SHUT_WR), 0);
        serve_both();
    }
    void come_back() {
        ASSERT_TRUE(bring_back());
        serve_both();
    }
    void come_from_elsewhere(const std::string& text) {
        ASSERT_EQ(append_from_elsewhere(text), Result::appended);
        serve_both();
    }
    void expect_heard(const std::array<std::string, 3>& texts) {
        for (uint32_t slot = 0; slot < 3; ++slot)
            EXPECT_EQ(heard_by(slot), texts[slot]) << "client " << slot;
    }
    // The reasons that the worker announces when it falls asleep; 0 if it does not.
    [[nodiscard]] uint32_t announced_by(EntryId entry) {
        WorkerEntry& shared = segment_.worker_table()[index_of(entry)];
        const Doorbell doorbell(shared, pipes_[index_of(entry)].first.get());
        return worker(entry).time_to_sleep(doorbell, seconds(1)).count() == 0
                   ? 0
                   : load_acquire(shared.asleep);
    }
    [[nodiscard]] bool has_left(uint32_t slot) {
        for (const EntryId entry : {entry_0, entry_1})
            for (const ClosedClient& closed : worker(entry).take_report().closed)
                if (closed.client == client_id(slot))
                    return true;
        return false;
    }
};

TEST_F(JoinedTest, NothingIsRelayedBeforeItComesBack) {
    send(0, "one ");
    send(1, "two ");
    expect_heard({"", "", ""});
    EXPECT_EQ(outbound.head(), 8U);
    come_from_elsewhere("far ");
    expect_heard({"far ", "far ", "far "});
    come_back();
    expect_heard({"two ", "one ", "one two "});
}

TEST_F(JoinedTest, OwnBytesAreLeftOutAmongThoseOfOthersHowevertheyCome) {
    std::string all;
    std::array<std::string, 3> due;
    for (uint32_t i = 0; i < 50; ++i) {
        const uint32_t from = i % 3;
        const std::string text = std::to_string(i) + ";";
        send(from, text);
        for (uint32_t to = 0; to < 3; ++to)
            due[to] += to == from ? "" : text;
        if (i % 4 == 3) {
            come_from_elsewhere("elsewhere;");
            come_back();
            for (std::string& text_due : due)
                text_due = "elsewhere;" + text_due;
            expect_heard(due);
            due = {};
        }
    }
}

TEST_F(JoinedTest, WorkersWakeTheBridgeAndNobodyElse) {
    WorkerEntry& bridge_entry = segment_.all_entries()[index_of(segment_.bridge_entry())];
    WorkerEntry& other = segment_.worker_table()[1];
    bridge_entry.asleep = wake_on_outbound;
    other.asleep = wake_on_growth;
    say(0, "text");
    serve(entry_0);
    EXPECT_EQ(bridge_entry.asleep, 0U);
    EXPECT_EQ(other.asleep, static_cast<uint32_t>(wake_on_growth));
}

TEST_F(JoinedTest, WhatAWorkerCannotLookAtYetItDoesNotDeliver) {
    send(0, "text");
    ASSERT_TRUE(bring_back());
    lock_log();
    serve_both();
    expect_heard({"", "", ""});
    for (const EntryId entry : {entry_0, entry_1})
        EXPECT_EQ(announced_by(entry) & (wake_on_unlock | wake_on_growth),
            static_cast<uint32_t>(wake_on_unlock | wake_on_growth));
    unlock_log();
    EXPECT_EQ(announced_by(entry_0), 0U) << "the second look finds work";
    serve_both();
    expect_heard({"", "text", "text"});
}

TEST_F(JoinedTest, ANewcomerComesWhileOthersHaveNotLearned) {
    send(0, "text ");
    ASSERT_TRUE(bring_back());
    lock_log();
    join(3, entry_0);
    unlock_log();
    serve_both();
    EXPECT_EQ(heard_by(3), "");
    expect_heard({"", "text ", "text "});
    send(3, "new ");
    come_back();
    EXPECT_EQ(heard_by(3), "");
    expect_heard({"new ", "new ", "new "});
}

TEST_F(JoinedTest, ASuccessorKnowsWhatItsClientsHaveSent) {
    send(0, "before ");
    begin_worker(entry_0); // what was sent is under way
    come_back();
    expect_heard({"", "before ", "before "});
    send(0, "again ");
    ASSERT_TRUE(bring_back());
    begin_worker(entry_0); // it has come back, and nobody has been sent it
    serve_both();
    expect_heard({"", "again ", "again "});
}

TEST_F(JoinedTest, AClientMovesWhileItsBytesAreUnderWay) {
    send(0, "mine ");
    move(0, entry_0, entry_1);
    send(1, "yours ");
    come_back();
    expect_heard({"yours ", "mine ", "mine yours "});
    send(0, "back ");
    ASSERT_TRUE(bring_back());
    move(0, entry_1, entry_0);
    serve_both();
    expect_heard({"", "back ", "back "});
}

TEST_F(JoinedTest, TheEndComesBehindTheLastBytes) {
    send(0, "bye ");
    end(0);
    EXPECT_EQ(status(0).state, SlotState::attached);
    EXPECT_TRUE(announced_by(entry_0) & wake_on_counted);
    EXPECT_FALSE(announced_by(entry_1) & wake_on_counted);
    come_from_elsewhere("before ");
    EXPECT_FALSE(has_left(0));
    EXPECT_EQ(heard_by(0), "before ");
    come_back();
    EXPECT_TRUE(has_left(0));
    come_from_elsewhere("after ");
    expect_heard({"", "before bye after ", "before bye after "});
}

TEST_F(JoinedTest, TheEndWaitsForNoBytesThatOthersSendLater) {
    send(0, "bye ");
    end(0);
    send(1, "later ");
    ASSERT_EQ(outbound.head(), 10U);
    (void)outbound.count_up_to(4);
    serve_both();
    EXPECT_TRUE(has_left(0));
}

TEST_F(JoinedTest, WhoHasNothingUnderWayEndsAtOnce) {
    send(2, "counted ");
    come_back();
    send(1, "under way ");
    for (const uint32_t slot : {0U, 2U}) {
        end(slot);
        EXPECT_TRUE(has_left(slot)) << "client " << slot;
    }
}

TEST_F(JoinedTest, ASuccessorFindsTheEndAgain) {
    send(0, "bye ");
    end(0);
    begin_worker(entry_0);
    serve_both();
    EXPECT_FALSE(has_left(0));
    come_back();
    EXPECT_TRUE(has_left(0));
    expect_heard({"", "bye ", "bye "});
}

TEST_F(JoinedTest, OneThatWaitsForItsEndMoves) {
    send(0, "bye ");
    end(0);
    move(0, entry_0, entry_1);
    serve_both();
    EXPECT_FALSE(has_left(0));
    EXPECT_TRUE(announced_by(entry_1) & wake_on_counted);
    come_back();
    EXPECT_TRUE(has_left(0));
    expect_heard({"", "bye ", "bye "});
}

TEST_F(JoinedTest, AnOperatorEndsOneThatWaits) {
    send(0, "bye ");
    end(0);
    const ClientId client = client_id(0);
    worker(entry_0).kick(std::span(&client, 1));
    serve_both();
    EXPECT_TRUE(has_left(0));
}

TEST_F(JoinedTest, AServerThatStopsWaitsForNobodysEnd) {
    send(0, "bye ");
    end(0);
    for (const EntryId entry : {entry_0, entry_1}) {
        worker(entry).stop_reading();
        worker(entry).finish(LeaveReason::server_stopped);
    }
    serve_both();
    EXPECT_TRUE(has_left(0));
}

TEST_F(JoinedTest, OneThatLeavesIsSentWhatItsWorkerHasYetToLookAt) {
    come_from_elsewhere("first ");
    EXPECT_EQ(heard_by(2), "first ");
    ASSERT_EQ(append_from_elsewhere("second "), Result::appended);
    lock_log();
    end(2);
    EXPECT_EQ(status(2).state, SlotState::closing);
    EXPECT_FALSE(has_left(2));
    unlock_log();
    serve_both();
    EXPECT_TRUE(has_left(2));
    EXPECT_EQ(heard_by(2), "second ");
}

// The senders wait until the bridge has counted (R7), and nothing is lost.
TEST_F(JoinedTest, SendersWaitForRoomInTheOutboundLog) {
    const std::string piece(16'000, 's');
    size_t sent = 0;
    for (int quiet = 0; quiet < 3; ++quiet) {
        const uint64_t before = outbound.head();
        const ssize_t put = ::send(peers_[0].get(), piece.data(), piece.size(), MSG_DONTWAIT);
        sent += put > 0 ? static_cast<size_t>(put) : 0;
        serve_both();
        if (put > 0 || outbound.head() != before)
            quiet = 0;
    }
    EXPECT_GT(sent, joined_log_bytes_min);
    EXPECT_TRUE(announced_by(entry_0) & wake_on_room);
    size_t heard = 0;
    for (int turn = 0; turn < 100 && heard < sent; ++turn) {
        if (bridge.state_in_force().value_or(RoomProgress{}).counted < outbound.head()) {
            ASSERT_TRUE(bring_back());
        }
        for (int i = 0; i < 8; ++i) {
            serve_both();
            heard += heard_by(1).size();
            (void)heard_by(2);
        }
    }
    EXPECT_EQ(heard, sent);
    EXPECT_EQ(heard_by(0), "");
}

} // namespace
} // namespace chatserv
