// What the metrics process reads of a server, also while a user leaves.
#include "master/metrics/server/figures.h"

#include "master/ledger/source_names.h"
#include "tests/unit/master/metrics/small_view.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

class ServerFiguresTest : public testing::Test {
protected:
    [[nodiscard]] Figures look() const { return look_at(server_.view); }

    void count(const Count& count) const { server_.ledger.counters()[count.counter] = count.value; }
    void accept() const { count(counters_.one_more_accepted()); }

    // The steps by which a master lets a client go, in their order (Transitions).
    void begin_release() const {
        store_release(server_.ledger.redo().kind, static_cast<uint32_t>(RedoKind::release));
    }
    void end_release() const {
        store_release(server_.ledger.redo().kind, static_cast<uint32_t>(RedoKind::none));
    }

    SmallView server_;
    Counters counters_{server_.ledger};
};

TEST_F(ServerFiguresTest, OfAServerThatHasJustBegun) {
    const Figures figures = look();
    EXPECT_FALSE(figures.is_ready);
    EXPECT_EQ(figures.users_max, 4U);
    EXPECT_EQ(figures.users, 0U);
    EXPECT_EQ(figures.sent_bytes, 0U);
    EXPECT_EQ(figures.workers.size(), 3U);
    EXPECT_EQ(figures.workers[0].pid, 0);
    EXPECT_EQ(figures.masters_replaced, 0U);
}

TEST_F(ServerFiguresTest, OfAServerWithFewerUsersSinceAReload) {
    store_release(server_.ledger.standing().users_limit, 2U);
    EXPECT_EQ(look().users_max, 2U);
}

TEST_F(ServerFiguresTest, OfTheWorkersInServiceAndOfThoseThatGoOn) {
    store_release(server_.ledger.standing().workers_wanted, 1U);
    EXPECT_EQ(look().workers.size(), 1U);
    EntryRecord& last = server_.ledger.entries()[2];
    store_release(last.state, static_cast<uint32_t>(EntryState::dead));
    const Figures figures = look();
    ASSERT_EQ(figures.workers.size(), 2U) << "it is to be taken over for as long as it has users";
    EXPECT_EQ(figures.workers[1].number, 3U);
    store_release(last.state, static_cast<uint32_t>(EntryState::vacant));
    EXPECT_EQ(look().workers.size(), 1U);
}

TEST_F(ServerFiguresTest, OfUsersAndTheirWorkers) {
    server_.serve();
    accept();
    accept();
    const ClientId first = server_.segment.attach(0);
    const ClientId second = server_.segment.attach(1);
    server_.segment.stage(first, "hello");
    ASSERT_TRUE(server_.segment.publish());
    server_.deliver(first, 0);
    EXPECT_EQ(look().log_held_bytes, 5U);
    server_.deliver(second, 5);
    const Figures figures = look();
    EXPECT_TRUE(figures.is_ready);
    EXPECT_EQ(figures.users, 2U);
    EXPECT_EQ(figures.received_bytes, 5U);
    EXPECT_EQ(figures.chunks, 1U);
    EXPECT_EQ(figures.sent_bytes, 5U);
    EXPECT_EQ(figures.log_held_bytes, 0U);
    EXPECT_FALSE(figures.senders_wait);
    EXPECT_EQ(figures.workers[0].users, 2U);
    EXPECT_EQ(figures.workers[0].pid, 77);
    EXPECT_EQ(figures.workers[1].users, 0U);
}

// Between two steps of a departure the bytes of that user are in the sum of those that have left,
// and in its slot as well, or in neither. No such look counts.
TEST_F(ServerFiguresTest, NoBytesCountTwiceOrNotAtAllWhileAUserLeaves) {
    accept();
    const ClientId client = server_.segment.attach(0);
    server_.deliver(client, 7);
    EXPECT_EQ(look().sent_bytes, 7U);
    begin_release();
    EXPECT_EQ(look().sent_bytes, std::nullopt);
    server_.segment.users.release(client);
    EXPECT_EQ(look().sent_bytes, std::nullopt) << "in neither";
    server_.ledger.counters()[departed_out_counter] = 7;
    EXPECT_EQ(look().sent_bytes, std::nullopt);
    end_release();
    EXPECT_EQ(look().sent_bytes, 7U);
}

TEST_F(ServerFiguresTest, OfSourcesInForce) {
    SourceRecord& record = server_.ledger.places()[2];
    note_source_name(record, 3, "tcp:a:7");
    note_source_name(server_.ledger.places()[0], 1, "udp:b:7");
    note_no_source(server_.ledger.places()[0]);
    record.connections = 2;
    record.received = 100;
    record.sent = 10;
    record.dropped = 8;
    record.dropped_before = 5;
    ASSERT_EQ(look().sources.size(), 1U);
    EXPECT_FALSE(look().sources[0].connected);
    const ClientId client = server_.segment.attach(0);
    server_.segment.users[client.slot].source = 3;
    server_.segment.users[client.slot].bytes_read = 7;
    server_.deliver(client, 4);
    const SourceFigures source = look().sources.at(0);
    EXPECT_EQ(source.name, "tcp:a:7");
    EXPECT_TRUE(source.connected);
    EXPECT_EQ(source.connections, 2U);
    EXPECT_EQ(source.received_bytes, 107U);
    EXPECT_EQ(source.sent_bytes, 14U);
    EXPECT_EQ(source.dropped_datagrams, 3U);
    begin_release();
    EXPECT_TRUE(look().sources.empty())
        << "its bytes are in the sum and in its slot, or in neither";
    server_.segment.users.release(client);
    record.received = 107;
    record.sent = 14;
    end_release();
    EXPECT_EQ(look().sources.at(0).received_bytes, 107U);
    EXPECT_FALSE(look().sources.at(0).connected);
}

TEST_F(ServerFiguresTest, OfTakeovers) {
    server_.ledger.entries()[1].takeovers = 3;
    server_.ledger.entries()[1].takeovers_ns = 1'500'000;
    server_.ledger.keeper().generation = 5;
    server_.ledger.keeper().keepers_replaced = 2;
    const Figures figures = look();
    EXPECT_EQ(figures.workers[1].takeovers, 3U);
    EXPECT_EQ(figures.workers[1].takeovers_ns, 1'500'000U);
    EXPECT_EQ(figures.masters_replaced, 4U);
    EXPECT_EQ(figures.keepers_replaced, 2U);
}

// Words that no worker of ours writes.
TEST_F(ServerFiguresTest, NonsenseInTheSegmentHarmsNobody) {
    server_.serve();
    const ClientId client = server_.segment.attach(0);
    store_release(server_.segment.mapping.user_control().slots_in_use, ~0U);
    store_release(server_.segment.mapping.log_control().room_wanted, ~0ULL);
    UserSlot& slot = server_.segment.users[client.slot];
    store_release(slot.cursor_index, ~0ULL);
    store_release(slot.status, ~0ULL);
    server_.ledger.entries()[0].seat = ~0U;
    server_.ledger.seats()[1].pid = -3;
    const Figures figures = look();
    EXPECT_EQ(figures.workers[0].pid, 0);
    EXPECT_FALSE(figures.senders_wait);
}

} // namespace
} // namespace chatserv
