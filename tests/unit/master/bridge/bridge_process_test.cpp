// The bridge as masters see it, one after the other: started, missed, hung, inherited, replaced. A
// script stands in for the program, and the test writes what it would write into the segment.
#include "master/bridge/bridge_process.h"

#include "master/bridge/bridge_settings.h"
#include "shared/segment/atomic_word.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/small_ledger.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* lives_on = "exec sleep 1000";

class BridgeProcessTest : public testing::Test {
protected:
    void use_program(const std::string& commands) {
        const fs::path program = folder_.path() / "program";
        std::ofstream(program) << "#!/bin/sh\n" << commands << "\n";
        fs::permissions(program, fs::perms::owner_all);
        resources_.program.emplace(UniqueFd(), program.string());
    }

    // A master of that program. None is ever deleted: what one has open its successor inherits.
    BridgeProcess& master(uint32_t upgrade = 0) {
        static auto* const all = new std::vector<BridgeProcess*>;
        all->push_back(new BridgeProcess(
            {resources_, options_, segment_, ledger_, doorbells_, events_, clock_, upgrade}));
        return *all->back();
    }

    // Turns of a master's loop.
    void turn_until(
        BridgeProcess& bridge, const std::function<bool()>& condition, bool wanted = true) {
        while (!condition()) {
            (void)clock_.now();
            bridge.look(wanted);
            clock_.about_to_sleep(10ms);
            for (const EventQueue::Event& event : events_.wait(10ms))
                if (is_exit(event))
                    (void)bridge.handle_exit(pid_of(event));
        }
    }
    void turn_until_gone(BridgeProcess& bridge, bool wanted = true) {
        turn_until(
            bridge, [&] { return bridge.pid() == 0; }, wanted);
    }
    // Another one than `former`, which has stored its pid: a seat without one is given up.
    pid_t turn_until_there(BridgeProcess& bridge, pid_t former = 0) {
        turn_until(bridge, [&] { return bridge.pid() != 0 && bridge.pid() != former; });
        while (load_acquire(ledger_.bridge().front().pid) != bridge.pid())
            ::usleep(1000);
        return bridge.pid();
    }
    [[nodiscard]] SeatState seat() const {
        return static_cast<SeatState>(ledger_.bridge().front().state);
    }
    [[nodiscard]] uint64_t deaths() const { return Counters(ledger_).bridge_deaths(); }
    // As a bridge that died in the midst of an append leaves it.
    void take_lock() const {
        store_release(segment_.log_control().lock, index_of(segment_.bridge_entry()) + 1);
        store_release(segment_.all_entries().back().asleep, wake_on_growth);
    }
    [[nodiscard]] bool is_repaired() const {
        return load_acquire(segment_.log_control().lock) == 0 &&
               load_acquire(segment_.all_entries().back().asleep) == 0;
    }

    const test::TemporaryDirectory folder_;
    const Options options_{.hang_limit = 400ms,
        .join = {"nats://u:p@h"},
        .room = "lobby",
        .worker_uid = ::geteuid(),
        .worker_gid = ::getegid()};
    BridgeResources resources_{};
    const Segment segment_ = Segment::create({.users = 4,
        .workers = 2,
        .log_bytes = 1024 * 1024,
        .outbound_bytes = 1024 * 1024,
        .settings = {.stall_limit_ms = 1000}});
    const std::vector<FdPair> doorbells_ = make_pipes(3);
    const Ledger ledger_ = small_ledger();
    EventQueue events_;
    ServedRecord served_{};
    ServedClock clock_{served_, 100ms};
};

TEST_F(BridgeProcessTest, IsNotStartedWhereNobodyWantsIt) {
    BridgeProcess& none = master();
    none.look(true);
    EXPECT_EQ(none.pid(), 0) << "no room is joined";
    use_program(lives_on);
    BridgeProcess& early = master();
    early.look(false);
    EXPECT_EQ(early.pid(), 0) << "the server does not serve yet";
}

// The words that bridge/start.h describes, and the settings that come through the last descriptor.
TEST_F(BridgeProcessTest, IsToldWhatItNeeds) {
    const fs::path told = folder_.path() / "told";
    use_program("echo \"$#: $1 $2 $3 $4 $8\" > " + told.string() + ".new\ncat /dev/fd/$9 >> " +
                told.string() + ".new\nmv " + told.string() + ".new " + told.string() + "\n" +
                lives_on);
    BridgeProcess& bridge = master();
    turn_until(bridge, [&] { return fs::exists(told); });
    std::ifstream file(told);
    std::string words;
    std::string settings;
    std::getline(file, words);
    std::getline(file, settings);
    std::ostringstream wanted;
    wanted << "9: info text " << ::geteuid() << " " << ::getegid() << " "
           << doorbells_[0].second.get() << "," << doorbells_[1].second.get();
    EXPECT_EQ(words, wanted.str());
    EXPECT_EQ(settings, bridge_settings(options_)) << "all of them, and then the end";
    turn_until_gone(bridge, false);
}

TEST_F(BridgeProcessTest, IsStartedAgainAfterAPauseWhenItDiesAtOnce) {
    use_program("exit 1");
    BridgeProcess& bridge = master();
    for (uint64_t count = 1; count <= 3; ++count) {
        turn_until(bridge, [&] { return deaths() == count; });
        EXPECT_EQ(bridge.pid(), 0) << "not at once";
        EXPECT_EQ(seat(), SeatState::empty);
        ASSERT_TRUE(bridge.next_look().has_value());
    }
}

TEST_F(BridgeProcessTest, ItsDeathIsRecoveredAndItsSuccessorToldOf) {
    use_program(lives_on);
    BridgeProcess& bridge = master();
    const pid_t first = turn_until_there(bridge);
    take_lock();
    for (const FdPair& doorbell : doorbells_)
        Doorbell(segment_.all_entries()[0], doorbell.first.get()).empty_pipe();
    ::kill(first, SIGKILL);
    const pid_t second = turn_until_there(bridge, first);
    EXPECT_TRUE(is_repaired());
    for (const FdPair& doorbell : doorbells_) {
        char ring = 0;
        EXPECT_EQ(::read(doorbell.first.get(), &ring, 1), 1) << "everybody is rung (W5)";
    }
    EXPECT_EQ(deaths(), 1U);
    EXPECT_FALSE(bridge.take_finished().has_value()) << "the next one does not work yet";
    (void)beat(segment_.room().beat);
    bridge.look(true);
    const auto finished = bridge.take_finished();
    ASSERT_TRUE(finished.has_value());
    EXPECT_EQ(finished->pid, second);
    EXPECT_GE(finished->milliseconds, 0);
    turn_until_gone(bridge, false);
}

TEST_F(BridgeProcessTest, OneThatHangsIsEnded) {
    use_program(lives_on);
    BridgeProcess& bridge = master();
    const pid_t first = turn_until_there(bridge);
    (void)beat(segment_.room().beat); // and never again
    const pid_t second = turn_until_there(bridge, first);
    EXPECT_NE(second, first);
    EXPECT_EQ(deaths(), 1U);
    turn_until_gone(bridge, false);
}

TEST_F(BridgeProcessTest, ChaosStrikesOneThatIsThere) {
    BridgeProcess& none = master();
    EXPECT_EQ(none.strike(true), "the server has no bridge: it has joined no room");
    use_program(lives_on);
    BridgeProcess& bridge = master();
    EXPECT_EQ(bridge.strike(true), "the bridge is being replaced");
    const pid_t first = turn_until_there(bridge);
    (void)beat(segment_.room().beat);
    EXPECT_EQ(bridge.strike(false), "");
    EXPECT_EQ(bridge.strike(true), "the bridge is stopped, and not replaced yet");
    const pid_t second = turn_until_there(bridge, first);
    EXPECT_EQ(bridge.strike(true), "");
    EXPECT_EQ(bridge.strike(true), "the bridge is being replaced");
    (void)turn_until_there(bridge, second);
    EXPECT_EQ(deaths(), 2U);
    turn_until_gone(bridge, false);
}

TEST_F(BridgeProcessTest, IsFoundByTheNextMasterAndEndedByIt) {
    use_program(lives_on);
    const pid_t pid = turn_until_there(master());
    BridgeProcess& second = master();
    second.take_over();
    EXPECT_EQ(second.pid(), pid);
    EXPECT_FALSE(may_reap(ledger_, pid)) << "the next master does not know of its end yet";
    second.look(true);
    EXPECT_EQ(second.pid(), pid) << "one is enough";
    second.reap_child();
    EXPECT_EQ(second.pid(), pid) << "it is no child of that master";
    turn_until_gone(second, false);
    EXPECT_TRUE(second.take_may_reap());
    EXPECT_TRUE(may_reap(ledger_, pid));
    EXPECT_EQ(seat(), SeatState::empty);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

// MW18: the master died after it had noted the exit, and had repaired nothing.
TEST_F(BridgeProcessTest, ARecoveryThatWasCutOffIsDoneByTheNextMaster) {
    use_program(lives_on);
    const pid_t pid = turn_until_there(master());
    take_lock();
    ::kill(pid, SIGKILL);
    SeatBook(ledger_.bridge()).note_exit(SeatId{0}, std::nullopt);
    BridgeProcess& next = master();
    next.take_over();
    EXPECT_EQ(next.pid(), 0);
    EXPECT_TRUE(is_repaired());
    EXPECT_EQ(seat(), SeatState::empty);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST_F(BridgeProcessTest, OneOfTheFormerProgramIsReplaced) {
    use_program(lives_on);
    const pid_t pid = turn_until_there(master());
    take_lock();
    BridgeProcess& later = master(1);
    later.take_over();
    turn_until_gone(later);
    EXPECT_TRUE(is_repaired()) << "it may have died anywhere";
    EXPECT_EQ(deaths(), 0U) << "it has not died by itself";
    EXPECT_NE(turn_until_there(later), pid);
    turn_until_gone(later, false);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST_F(BridgeProcessTest, NoneIsStartedWhereTheRoomIsOver) {
    use_program("exit 3");
    store_release(segment_.room().report.loss, static_cast<uint32_t>(OrderLoss::backwards));
    BridgeProcess& bridge = master();
    EXPECT_EQ(bridge.loss(), OrderLoss::backwards);
    bridge.look(true);
    EXPECT_EQ(bridge.pid(), 0);
    EXPECT_EQ(deaths(), 0U);
}

TEST_F(BridgeProcessTest, ARoomIsOverWhenTheBridgeThatSaysSoHasEnded) {
    use_program(lives_on);
    BridgeProcess& bridge = master();
    const pid_t pid = turn_until_there(bridge);
    store_release(segment_.room().report.loss, static_cast<uint32_t>(OrderLoss::vanished));
    EXPECT_EQ(bridge.loss(), OrderLoss::none) << "it may have more to do";
    ::kill(pid, SIGKILL);
    turn_until_gone(bridge);
    EXPECT_EQ(bridge.loss(), OrderLoss::vanished);
    EXPECT_EQ(deaths(), 0U);
}

TEST_F(BridgeProcessTest, TellsHowMuchWaits) {
    use_program(lives_on);
    BridgeProcess& bridge = master();
    EXPECT_EQ(bridge.waiting_bytes(), 0U);
    store_release(segment_.outbound_control().head, 500U);
    store_release(segment_.room().counted, 100U);
    EXPECT_EQ(bridge.waiting_bytes(), 400U);
}

// A worker that waits for room in the outbound log has it then.
TEST_F(BridgeProcessTest, WhatWaitsForARoomThatWasGivenUpIsThrownAway) {
    use_program(lives_on);
    BridgeProcess& bridge = master();
    (void)turn_until_there(bridge);
    store_release(segment_.outbound_control().head, 500U);
    bridge.give_up();
    turn_until_gone(bridge);
    bridge.look(true);
    EXPECT_EQ(bridge.pid(), 0) << "no other one is started";
    EXPECT_EQ(load_acquire(segment_.room().counted), 500U);
    EXPECT_EQ(bridge.waiting_bytes(), 0U);
    EXPECT_TRUE(bridge.is_waited_for()) << "more can come";
    EXPECT_EQ(deaths(), 0U);
    BridgeProcess& next = master();
    next.take_over();
    store_release(segment_.outbound_control().head, 600U);
    next.look(true);
    EXPECT_EQ(next.pid(), 0);
    EXPECT_EQ(load_acquire(segment_.room().counted), 600U) << "nor by the next master";
}

TEST_F(BridgeProcessTest, WhatWaitsForARoomThatIsOverIsThrownAway) {
    use_program("exit 3");
    store_release(segment_.room().report.loss, static_cast<uint32_t>(OrderLoss::changed));
    store_release(segment_.outbound_control().head, 500U);
    BridgeProcess& bridge = master();
    EXPECT_EQ(bridge.waiting_bytes(), 0U);
    bridge.look(true);
    EXPECT_EQ(load_acquire(segment_.room().counted), 500U);
}

} // namespace
} // namespace chatserv
