// What a worker of a joined room learns of its clients' own bytes, also if the log grows between
// its look and the attaching of newcomers.
#include "tests/unit/joined_segment.h"
#include "worker/lifecycle/attaching.h"
#include "worker/limits/timers.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

class LearningTest : public testing::Test {
protected:
    LearningTest() { a_ = &serve(0); }

    Client& serve(uint32_t slot) {
        const ClientId id = segment_.attach(slot);
        return roster_.add(id, make_pipe().first, segment_.users[id.slot]);
    }
    [[nodiscard]] static std::vector<std::pair<uint64_t, uint64_t>> own_of(const Client& client) {
        std::vector<std::pair<uint64_t, uint64_t>> ranges;
        for (const LogRange& range : client.own)
            ranges.emplace_back(range.begin, range.end);
        return ranges;
    }
    // `text` of the client, or of another host, is next in the broadcast log.
    void come_back(const Client& client, std::string_view text) {
        segment_.send(client.id, text);
        ASSERT_TRUE(segment_.bring_back());
    }
    void come_from_elsewhere(std::string_view text) {
        ASSERT_EQ(segment_.append_from_elsewhere(text), BridgedAppender::Result::appended);
    }

    using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

    JoinedSegment segment_;
    std::vector<FdPair> pipes_ = make_pipes(segment_.mapping.all_entries().size());
    Doorbells doorbells_{segment_.mapping.all_entries(), pipes_};
    Roster roster_;
    Learning learning_{segment_.mapping, entry_0, doorbells_};
    Client* a_ = nullptr;
};

TEST_F(LearningTest, KnowsAsFarAsItHasLooked) {
    come_from_elsewhere("1234");
    come_back(*a_, "mine");
    EXPECT_EQ(learning_.known_up_to(8), 0U);
    ASSERT_TRUE(learning_.catch_up(roster_));
    EXPECT_EQ(learning_.known_up_to(8), 8U);
    come_back(*a_, "more");
    EXPECT_EQ(learning_.known_up_to(12), 8U);
    ASSERT_TRUE(learning_.catch_up(roster_));
    EXPECT_EQ(own_of(*a_), (Ranges{{4, 12}}));
}

TEST_F(LearningTest, LooksWhileItHasTheLockAlone) {
    come_back(*a_, "mine");
    {
        const LogLock lock(segment_.mapping.log_control(), entry_1);
        EXPECT_FALSE(learning_.catch_up(roster_));
        EXPECT_EQ(learning_.known_up_to(4), 0U);
    }
    segment_.mapping.worker_table()[1].asleep = wake_on_unlock;
    EXPECT_TRUE(learning_.catch_up(roster_));
    EXPECT_EQ(segment_.mapping.worker_table()[1].asleep, 0U) << "it may wait for the lock";
}

// A worker whose clients all rest has kept nothing of the index, and cursors were beyond it long
// ago.
TEST_F(LearningTest, BearsWithAnIndexThatHasGoneOn) {
    segment_.advance(a_->id, log_offset_none);
    const std::string piece(bridged_bytes_max, 'p');
    for (int i = 0; i < 20; ++i)
        come_from_elsewhere(piece);
    segment_.advance(a_->id, segment_.log.head());
    come_back(*a_, "mine");
    ASSERT_TRUE(learning_.catch_up(roster_));
    EXPECT_EQ(own_of(*a_), (Ranges{{20 * piece.size(), 20 * piece.size() + 4}}));
}

TEST_F(LearningTest, NothingIsLearnedTwiceWhenTheLogGrowsBeforeNewcomersAreAttached) {
    const RelaySettings settings{.stall_limit_ms = 1000};
    EventQueue events;
    ServedClock clock(segment_.mapping.worker_table()[0].served,
        ServedClock::allowance_for(shortest_limit(settings)));
    const Pulse pulse(segment_.mapping.heartbeats()[0], clock);
    const IdleWatch idle_watch(events, clock, settings);
    Attaching attaching(
        segment_.mapping, entry_0, doorbells_, learning_, idle_watch, pulse, settings);
    ASSERT_TRUE(learning_.catch_up(roster_));

    const ClientId b = segment_.attach(1);
    segment_.send(b, "of b");
    ASSERT_TRUE(segment_.bring_back());
    come_back(*a_, "of a");
    ASSERT_EQ(segment_.users.orphan(b, entry_0), SlotState::orphaned);
    attaching.add(b, make_pipe().first);
    ASSERT_TRUE(attaching.attach(roster_));
    EXPECT_EQ(learning_.known_up_to(8), 8U);
    const Client* const adopted = roster_.find(b);
    ASSERT_TRUE(learning_.catch_up(roster_));
    come_back(*adopted, "b again");
    ASSERT_TRUE(learning_.catch_up(roster_));
    EXPECT_EQ(own_of(*a_), (Ranges{{4, 8}}));
    EXPECT_EQ(own_of(*adopted), (Ranges{{0, 4}, {8, 15}}));
    EXPECT_EQ(adopted->outbound_end, 8U);
}

} // namespace
} // namespace chatserv
