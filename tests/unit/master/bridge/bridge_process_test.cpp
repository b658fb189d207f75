// The bridge as masters see it, one after the other: started, missed, hung, inherited, replaced.
#include "tests/unit/master/bridge/bridge_process_test.h"

#include "shared/segment/room_state.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace chatserv {
namespace {

namespace fs = std::filesystem;

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

TEST_F(BridgeProcessTest, IsNotStartedAgainWhenItsRoomCannotBeJoined) {
    use_program("exit 2");
    BridgeProcess& bridge = master();
    turn_until(bridge, [&] { return bridge.is_unusable(); });
    bridge.look(true);
    EXPECT_EQ(bridge.pid(), 0) << "no other one is to come, though no pause runs";
    EXPECT_EQ(deaths(), 0U) << "it is no fault of the bridge's";
}

TEST_F(BridgeProcessTest, IsStartedAgainWhenItsRoomWasJoinedBefore) {
    (void)RoomStates(segment_).write({.epoch = 1}, 0);
    use_program("exit 2");
    BridgeProcess& bridge = master();
    turn_until(bridge, [&] { return deaths() == 2; });
    EXPECT_FALSE(bridge.is_unusable());
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
    expect_that_the_next_master_finds_and_ends_it();
}

TEST_F(BridgeProcessTest, ASeatWithoutAProcessIsGivenUp) {
    expect_that_a_seat_without_a_process_is_given_up();
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

} // namespace
} // namespace chatserv
