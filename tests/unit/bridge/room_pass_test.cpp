// A bridge's part on the segment, step by step: what it carries, what a successor goes on with, and
// how it sleeps. The engine is the test's.
#include "bridge/room_pass.h"
#include "tests/unit/bridge/joined_segment.h"
#include "tests/unit/bridge/simulated_engine.h"

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <unistd.h>

namespace chatserv::test {
namespace {

class Host {
public:
    explicit Host(SimulatedStream& stream, const Exchange::Settings& of_exchange = {}) :
        engine(stream), settings(of_exchange) {
        start_bridge();
    }

    // The one before is gone without a word.
    void start_bridge() {
        pass.reset();
        joined.repair_bridge();
        joined.bridge_bell.empty_pipe();
        pass = std::make_unique<RoomPass>(joined.segment, engine, joined.doorbells, settings);
    }
    [[nodiscard]] uint32_t announced() const { return load_acquire(joined.bridge_entry().asleep); }
    [[nodiscard]] bool is_rung() const {
        char ring = 0;
        return ::read(joined.pipes.back().first.get(), &ring, 1) == 1;
    }

    JoinedSegment joined;
    SimulatedEngine engine;
    Exchange::Settings settings;
    std::unique_ptr<RoomPass> pass;
};

class RoomPassTest : public testing::Test {
protected:
    RoomPassTest() { settle(); }

    void deliver() {
        for (std::string& message : stream.under_way)
            stream.messages.push_back(std::move(message));
        stream.under_way.clear();
    }
    void run(Host& of) const {
        do
            of.pass->run(now);
        while (!of.pass->may_sleep(of.joined.bridge_bell, now));
        EXPECT_EQ(of.pass->loss(), OrderLoss::none);
    }
    // Until everything that can be read is.
    void settle() {
        for (int i = 0; i < 4; ++i) {
            run(host);
            run(other);
            deliver();
        }
    }
    // So much that the next message does not fit, and there is one. Then it sleeps.
    void fill_log() {
        const std::string kilobyte(1024, 'x');
        while (!host.pass->is_held_up()) {
            while (host.joined.say(kilobyte) > 0) {
            }
            run(host);
            deliver();
        }
        host.joined.bridge_bell.empty_pipe();
    }

    SimulatedStream stream;
    Host host{stream};
    Host other{stream};
    RoomPass::Time now = RoomPass::Time() + std::chrono::hours(1);
};

TEST_F(RoomPassTest, RelaysWhatIsSaid) {
    (void)host.joined.say("one ");
    settle();
    (void)other.joined.say("two ");
    settle();
    EXPECT_EQ(host.joined.hear(), "one two ");
    EXPECT_EQ(other.joined.hear(), "one two ");
    EXPECT_TRUE(host.joined.all_has_counted());
}

TEST_F(RoomPassTest, TellsOwnSendersFromThoseElsewhere) {
    (void)host.joined.say("one ");
    settle();
    (void)other.joined.say("two ");
    settle();
    std::vector<SlotId> senders;
    const LogLock lock(host.joined.segment.log_control(), JoinedSegment::worker);
    host.joined.log.for_each_chunk_after(
        0, [&](const IndexEntry& entry, uint64_t /*begin*/) { senders.push_back(entry.slot); });
    EXPECT_EQ(senders, (std::vector<SlotId>{JoinedSegment::speaker.slot, slot_elsewhere}));
}

TEST_F(RoomPassTest, ASuccessorGoesOnWhereItsPredecessorWas) {
    (void)host.joined.say("one ");
    settle();
    const OrderState state = host.pass->exchange().order().state();
    EXPECT_EQ(state.expected.size(), 1U);
    host.start_bridge();
    EXPECT_EQ(host.pass->exchange().order().state(), state);
    EXPECT_EQ(host.engine.replayed.back(), state.applied.number);
    (void)host.joined.say("two ");
    settle();
    EXPECT_EQ(host.joined.hear(), "one two ");
    EXPECT_EQ(other.joined.hear(), "one two ");
}

TEST_F(RoomPassTest, ASuccessorSaysThatWhatWasCommittedHasCounted) {
    (void)host.joined.say("one ");
    settle();
    store_release(host.joined.segment.room().counted, 0); // it died before it had said so
    host.start_bridge();
    EXPECT_TRUE(host.joined.all_has_counted());
}

TEST_F(RoomPassTest, KeepsTheStateOfEachKindOfMessage) {
    Host third(stream); // begins an epoch for all
    for (int i = 0; i < 4; ++i) {
        run(third);
        settle();
    }
    (void)host.joined.say("one ");
    (void)other.joined.say("two ");
    settle();
    stream.messages.emplace_back("no message of ours");
    settle();
    for (Host* const of : {&host, &other}) {
        const OrderState state = of->pass->exchange().order().state();
        EXPECT_EQ(state.applied.number, stream.last());
        EXPECT_EQ(state.expected.size(), 2U);
        of->start_bridge();
        EXPECT_EQ(of->pass->exchange().order().state(), state);
    }
}

TEST_F(RoomPassTest, AHostThatJoinsBeginsItsLogWithTheHistory) {
    for (const char* const line : {"one\n", "two\n", "three\n"}) {
        (void)host.joined.say(line);
        settle();
    }
    Host third(stream, {.history = {.lines = 2, .bytes = 0}});
    run(third);
    deliver();
    {
        const LogLock lock(third.joined.segment.log_control(), JoinedSegment::worker);
        run(third);
        EXPECT_FALSE(third.joined.has_joined()) << "it is committed with the history, later";
    }
    for (int i = 0; i < 3; ++i) {
        run(third);
        settle();
    }
    EXPECT_TRUE(third.joined.has_joined());
    third.start_bridge();
    (void)other.joined.say("four\n");
    settle();
    run(third);
    EXPECT_EQ(third.joined.hear(), "two\nthree\nfour\n");
}

TEST_F(RoomPassTest, AHistoryIsAQuarterOfTheLogAtMost) {
    const std::string kilobyte(1024, 'x');
    for (uint64_t said = 0; said < JoinedSegment::log_bytes / 2; said += kilobyte.size()) {
        ASSERT_EQ(host.joined.say(kilobyte), kilobyte.size());
        settle();
        (void)host.joined.hear();
        (void)other.joined.hear();
    }
    Host third(stream, {.history = {.lines = 0, .bytes = JoinedSegment::log_bytes}});
    for (int i = 0; i < 20 && !third.joined.has_joined(); ++i) {
        run(third);
        settle();
    }
    EXPECT_EQ(third.joined.hear().size(), JoinedSegment::log_bytes / 4);
}

TEST_F(RoomPassTest, IsWokenByWhatIsSaid) {
    run(host);
    EXPECT_EQ(host.announced(), wake_on_outbound);
    EXPECT_FALSE(host.is_rung());
    (void)host.joined.say("one ");
    EXPECT_TRUE(host.is_rung());
}

TEST_F(RoomPassTest, DoesNotSleepOverWhatWasSaidBeforeItAnnouncedItsSleep) {
    host.joined.bridge_bell.wake_up();
    host.pass->run(now);
    (void)host.joined.say("one ");
    EXPECT_FALSE(host.is_rung()) << "nobody knew that it was about to sleep";
    (void)host.pass->may_sleep(host.joined.bridge_bell, now);
    EXPECT_EQ(stream.under_way.size(), 1U) << "the second look has found it";
}

TEST_F(RoomPassTest, WaitsForRoomAndIsWokenByIt) {
    fill_log();
    EXPECT_EQ(host.announced(), wake_on_outbound | wake_on_room);
    EXPECT_FALSE(host.is_rung());
    const std::string heard = host.joined.hear();
    EXPECT_TRUE(host.is_rung());
    run(host);
    EXPECT_FALSE(host.pass->is_held_up());
    EXPECT_EQ(host.joined.hear().empty(), false);
    EXPECT_FALSE(heard.empty());
}

TEST_F(RoomPassTest, TellsWorkersOnceThatItWantsRoom) {
    fill_log();
    const WorkerEntry& worker = host.joined.segment.all_entries()[0];
    host.joined.worker_bell.announce_sleep(wake_on_growth);
    run(host);
    EXPECT_EQ(load_acquire(worker.asleep), wake_on_growth) << "it was told already";
}

TEST_F(RoomPassTest, DoesNotSleepOverRoomThatCameBeforeItAnnouncedItsSleep) {
    fill_log();
    host.joined.bridge_bell.wake_up();
    host.pass->run(now);
    ASSERT_TRUE(host.pass->is_held_up());
    (void)host.joined.hear();
    EXPECT_FALSE(host.is_rung());
    (void)host.pass->may_sleep(host.joined.bridge_bell, now);
    EXPECT_FALSE(host.pass->is_held_up());
}

TEST_F(RoomPassTest, WaitsForTheLockAndIsWokenByIt) {
    (void)other.joined.say("one ");
    run(other);
    deliver();
    std::optional<LogLock> lock;
    lock.emplace(host.joined.segment.log_control(), JoinedSegment::worker);
    run(host);
    EXPECT_TRUE(host.pass->is_held_up());
    EXPECT_EQ(host.announced(), wake_on_outbound | wake_on_unlock);
    lock.reset();
    host.joined.doorbells.ring(wake_on_unlock, JoinedSegment::worker);
    EXPECT_TRUE(host.is_rung());
    run(host);
    EXPECT_EQ(host.joined.hear(), "one ");
}

TEST_F(RoomPassTest, WakesWorkersThatCanGoOn) {
    const WorkerEntry& worker = host.joined.segment.all_entries()[0];
    (void)other.joined.say("one ");
    run(other);
    deliver();
    host.joined.worker_bell.announce_sleep(wake_on_growth);
    run(host);
    EXPECT_EQ(load_acquire(worker.asleep), 0U) << "the log has grown";

    while (host.joined.say(std::string(1024, 'x')) > 0) {
    }
    host.joined.worker_bell.announce_sleep(wake_on_room);
    for (int i = 0; i < 100 && load_acquire(worker.asleep) != 0; ++i) {
        settle();
        (void)host.joined.hear();
        (void)other.joined.hear();
    }
    EXPECT_EQ(load_acquire(worker.asleep), 0U) << "the outbound log has room";
    EXPECT_GT(host.joined.say(std::string(1024, 'x')), 0U);
}

TEST_F(RoomPassTest, ARoomThatIsOverIsNotSleptOn) {
    stream.messages.clear(); // and others take their places
    stream.messages.resize(8);
    host.start_bridge();
    host.pass->run(now);
    EXPECT_EQ(host.pass->loss(), OrderLoss::changed);
    EXPECT_FALSE(host.pass->may_sleep(host.joined.bridge_bell, now));
}

} // namespace
} // namespace chatserv::test
