// The recovery of an entry whose worker left a corrupt segment: which clients it disconnects and
// which it keeps.
#include "master/workers/takeover.h"
#include "shared/segment/last_line.h"
#include "tests/unit/joined_segment.h"
#include "tests/unit/small_ledger.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RecoveryTest : public testing::Test {
protected:
    RecoveryTest() {
        for (const EntryId entry : {entry_0, entry_0, entry_1, entry_0}) {
            const ClientId client = escrow_.admit(newcomer(make_pipe().first), Address(), entry);
            if (client.slot != SlotId{3}) // which stays assigned only
                segment_.users.attach(client, 0);
            clients_.push_back(client);
        }
        segment_.stage(clients_[0], "said before");
        EXPECT_TRUE(segment_.publish());
    }

    // Of entry 0.
    [[nodiscard]] std::vector<ClientId> lost_in_recovery() {
        return recover_entry(entry_0, segment_.mapping, escrow_, doorbells_);
    }

    SmallSegment segment_;
    const Ledger ledger_{small_ledger(segment_.users.size())};
    Escrow escrow_{ledger_, segment_.users, 2, false};
    std::vector<FdPair> pipes_ = [] {
        std::vector<FdPair> pipes(2);
        pipes[0] = make_pipe();
        pipes[1] = make_pipe();
        return pipes;
    }();
    Doorbells doorbells_{segment_.mapping.worker_table(), pipes_};
    std::vector<ClientId> clients_;
};

TEST_F(RecoveryTest, NoClientIsLostInAnIntactSegment) {
    segment_.stage(clients_[1], "staged");
    EXPECT_THAT(lost_in_recovery(), IsEmpty());
    EXPECT_EQ(Staging(segment_.mapping, entry_0).chunks().size(), 1U)
        << "for the successor to publish";
}

TEST_F(RecoveryTest, ABadCursorLosesItsOwnClientOnly) {
    const uint64_t head = segment_.log.head();
    for (const uint64_t offset : {head + 1, log_offset_none - 1}) {
        segment_.advance(clients_[1], offset);
        EXPECT_THAT(lost_in_recovery(), ElementsAre(clients_[1]));
    }
    segment_.advance(clients_[1], head);
    EXPECT_THAT(lost_in_recovery(), IsEmpty());
    segment_.advance(clients_[1], log_offset_none); // the entry is being released
    EXPECT_THAT(lost_in_recovery(), IsEmpty());
}

// The client has been sent a part of the last line, or all of it.
TEST_F(RecoveryTest, ACursorWithinALastLineIsSane) {
    const uint64_t head = segment_.log.head();
    const uint64_t end = head + room_over_line.size();
    UserSlot& slot = segment_.users[clients_[1].slot];
    slot.answer = static_cast<uint8_t>(Answer::last_line);
    segment_.advance(clients_[1], head + 1);
    EXPECT_THAT(lost_in_recovery(), ElementsAre(clients_[1])) << "it is not closing";
    segment_.users.adopt(clients_[1]);
    segment_.users.close(clients_[1], head);
    EXPECT_THAT(lost_in_recovery(), IsEmpty());
    segment_.advance(clients_[1], end);
    EXPECT_THAT(lost_in_recovery(), IsEmpty());
    segment_.advance(clients_[1], end + 1);
    EXPECT_THAT(lost_in_recovery(), ElementsAre(clients_[1]));
    slot.answer = static_cast<uint8_t>(Answer::last_line_apart);
    EXPECT_THAT(lost_in_recovery(), IsEmpty());
    for (const unsigned other : {0U, 1U, 2U, 5U, 255U}) {
        slot.answer = static_cast<uint8_t>(other);
        EXPECT_THAT(lost_in_recovery(), ElementsAre(clients_[1])) << other;
    }
}

TEST_F(RecoveryTest, NoSlotIsForgottenWhenTheNumberOfSlotsWasOverwritten) {
    segment_.mapping.user_control().slots_in_use = 1;
    EXPECT_THAT(lost_in_recovery(), IsEmpty());
    segment_.advance(clients_[2], 3);
    for (const ClientId client : {clients_[0], clients_[1]})
        segment_.advance(client, segment_.log.head());
    EXPECT_EQ(segment_.users.lowest_cursor(segment_.log.head()), 3U);
}

TEST_F(RecoveryTest, ABatchThatCannotBeParsedLosesTheAttachedClientsOfTheEntry) {
    const auto spoil_and_recover = [&](auto spoil) {
        segment_.stage(clients_[0], "one");
        segment_.stage(clients_[1], "two");
        spoil();
        EXPECT_FALSE(Staging(segment_.mapping, entry_0).sane());
        EXPECT_THAT(lost_in_recovery(), ElementsAre(clients_[0], clients_[1]));
        EXPECT_TRUE(Staging(segment_.mapping, entry_0).empty());
    };
    uint32_t& count = segment_.mapping.worker_table()[0].staged_chunks;
    const std::span<ChunkRecord> chunks = segment_.mapping.staging_chunks(entry_0);
    spoil_and_recover([&] { count = batch_chunks_max + 1; });
    spoil_and_recover([&] { count = ~0U; });
    spoil_and_recover([&] { chunks[0].end = chunks[1].end; });
    spoil_and_recover([&] { chunks[1].end = ~0U; });
}

// The bridge of a joined room died with both locks, and slept or was about to ring.
TEST(BridgeRepairTest, FreesTheLocksAndRingsEverybody) {
    const JoinedSegment segment;
    const EntryId bridge = segment.mapping.bridge_entry();
    const std::vector<FdPair> pipes = make_pipes(segment.mapping.all_entries().size());
    const Doorbells doorbells(segment.mapping.all_entries(), pipes);
    uint32_t& asleep = segment.mapping.all_entries()[index_of(bridge)].asleep;
    asleep = wake_on_room;
    LogControl& outbound = segment.mapping.outbound_control();
    for (LogControl* const control : {&segment.mapping.log_control(), &outbound})
        control->lock = index_of(bridge) + 1;
    repair_bridge(segment.mapping, doorbells);
    EXPECT_EQ(asleep, 0U);
    EXPECT_EQ(segment.mapping.log_control().lock, 0U);
    EXPECT_EQ(outbound.lock, 0U);
    for (const FdPair& pipe : pipes) {
        char ring = 0;
        EXPECT_EQ(::read(pipe.first.get(), &ring, 1), 1);
    }
}

} // namespace
} // namespace chatserv
