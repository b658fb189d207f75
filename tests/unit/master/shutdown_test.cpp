// The orderly end of the server, step by step.
#include "master/shutdown.h"

#include <csignal>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Step = Shutdown::Step;
using namespace std::chrono_literals;

class ShutdownTest : public testing::Test {
protected:
    // Until a second signal can no longer be a part of the first request.
    void pass_the_first_request() {
        const auto begun = ServedClock::Steady::now();
        while (ServedClock::Steady::now() - begun < 60ms)
            (void)clock_.now();
    }

    EventQueue events_;
    ServedRecord record_{};
    ServedClock clock_{record_, 100ms};
    StandingWords standing_{};
    Shutdown shutdown_{standing_, 5s, events_, clock_, 2};
};

TEST_F(ShutdownTest, DrainsFinishesAndDismisses) {
    EXPECT_TRUE(shutdown_.starting());
    shutdown_.start_serving();
    EXPECT_FALSE(shutdown_.starting());
    EXPECT_EQ(shutdown_.advance({true, true, 0}), Step::none) << "it serves";

    EXPECT_EQ(shutdown_.handle_stop(SIGTERM, 3), Step::stop_reading);
    EXPECT_TRUE(shutdown_.stopping());
    EXPECT_EQ(shutdown_.advance({false, false, 0}), Step::none);
    EXPECT_EQ(shutdown_.advance({false, true, 0}), Step::finish);
    EXPECT_EQ(shutdown_.advance({false, true, 0}), Step::none) << "clients are still connected";
    EXPECT_EQ(shutdown_.advance({true, true, 0}), Step::dismiss);
    EXPECT_TRUE(shutdown_.dismissing());
    EXPECT_EQ(shutdown_.advance({true, true, 0}), Step::none);
    EXPECT_EQ(shutdown_.exit_status(), 0);
}

TEST_F(ShutdownTest, FinishesAtOnceWhereThereAreNoClients) {
    shutdown_.start_serving();
    (void)shutdown_.handle_stop(SIGTERM, 0);
    EXPECT_EQ(shutdown_.advance({true, false, 0}), Step::finish);
    EXPECT_EQ(shutdown_.advance({true, false, 0}), Step::dismiss);
}

TEST_F(ShutdownTest, TakesTwoSignalsAtOnceForOneRequest) {
    shutdown_.start_serving();
    EXPECT_EQ(shutdown_.handle_stop(SIGTERM, 1), Step::stop_reading);
    EXPECT_EQ(shutdown_.handle_stop(SIGTERM, 1), Step::none);
    pass_the_first_request();
    EXPECT_EQ(shutdown_.handle_stop(SIGINT, 1), Step::kill);
    EXPECT_EQ(shutdown_.exit_status(), 128 + SIGINT);
}

TEST_F(ShutdownTest, GivesTheWorkersTheTimeOfAStandstill) {
    shutdown_.start_serving();
    (void)shutdown_.handle_stop(SIGTERM, 1);
    EXPECT_EQ(shutdown_.timer(), Step::none) << "it went off early";
    EXPECT_FALSE(shutdown_.dismissing());
}

TEST_F(ShutdownTest, ASuccessorOfAMasterThatServedServes) {
    shutdown_.start_serving();
    Shutdown successor(standing_, 5s, events_, clock_, 3);
    EXPECT_EQ(successor.resume(), Step::none);
    EXPECT_FALSE(successor.starting());
    EXPECT_FALSE(successor.stopping());
}

TEST_F(ShutdownTest, ASuccessorBeginsAStopAnew) {
    shutdown_.start_serving();
    (void)shutdown_.handle_stop(SIGTERM, 3);
    ASSERT_EQ(shutdown_.advance({false, true, 0}), Step::finish);
    Shutdown successor(standing_, 5s, events_, clock_, 3);
    EXPECT_EQ(successor.resume(), Step::stop_reading);
    EXPECT_EQ(successor.advance({false, false, 0}), Step::none) << "not all have stopped reading";
    EXPECT_EQ(successor.advance({false, true, 0}), Step::finish);
    EXPECT_EQ(successor.advance({true, true, 0}), Step::dismiss);
}

TEST_F(ShutdownTest, ASuccessorKillsTheWorkersThatWereToBeKilled) {
    shutdown_.start_serving();
    (void)shutdown_.handle_stop(SIGTERM, 1);
    pass_the_first_request();
    ASSERT_EQ(shutdown_.handle_stop(SIGINT, 1), Step::kill);
    Shutdown successor(standing_, 5s, events_, clock_, 3);
    EXPECT_EQ(successor.resume(), Step::kill);
    EXPECT_TRUE(successor.dismissing());
    EXPECT_EQ(successor.exit_status(), 128 + SIGINT);
}

TEST_F(ShutdownTest, WaitsForTheRoomToTakeWhatWasRead) {
    shutdown_.start_serving();
    (void)shutdown_.handle_stop(SIGTERM, 1);
    EXPECT_TRUE(shutdown_.draining());
    EXPECT_EQ(shutdown_.advance({false, true, 7}), Step::none);
    EXPECT_EQ(shutdown_.advance({true, true, 7}), Step::none) << "whoever has left";
    EXPECT_EQ(shutdown_.advance({true, true, 0}), Step::finish);
    EXPECT_FALSE(shutdown_.draining());
}

TEST_F(ShutdownTest, WaitsForARoomThatDoesNotAnswerForHalfOfTheStop) {
    Shutdown brief(standing_, 0s, events_, clock_, 2);
    brief.start_serving();
    const auto begun = clock_.now();
    (void)brief.handle_stop(SIGTERM, 1);
    Step step = Step::none;
    while ((step = brief.advance({false, false, 7})) == Step::none)
        clock_.about_to_sleep(50ms);
    EXPECT_EQ(step, Step::give_up_room) << "even where workers cannot publish for lack of room";
    EXPECT_GE(clock_.now() - begun, brief.limit() / 2);
    EXPECT_LT(clock_.now() - begun, brief.limit());
    EXPECT_EQ(brief.advance({false, false, 0}), Step::none) << "the workers have more to publish";
    EXPECT_EQ(brief.advance({false, true, 0}), Step::finish);
}

TEST_F(ShutdownTest, ARoomThatIsOverEndsTheServerWithAStatusOfItsOwn) {
    shutdown_.start_serving();
    EXPECT_FALSE(shutdown_.room_is_over());
    EXPECT_EQ(shutdown_.handle_room_end(room_over_status), Step::stop_reading);
    EXPECT_TRUE(shutdown_.room_is_over());
    EXPECT_EQ(shutdown_.handle_room_end(room_over_status), Step::none) << "it stops already";
    EXPECT_EQ(shutdown_.exit_status(), room_over_status);
    Shutdown successor(standing_, 5s, events_, clock_, 2);
    EXPECT_EQ(successor.resume(), Step::stop_reading) << "in order, as it was begun";
    EXPECT_EQ(successor.advance({false, true, 0}), Step::finish);
    EXPECT_EQ(successor.advance({true, true, 0}), Step::dismiss);
    EXPECT_EQ(successor.exit_status(), room_over_status);
}

TEST_F(ShutdownTest, AStopThatWasBegunIsNoRoomsEnd) {
    shutdown_.start_serving();
    (void)shutdown_.handle_stop(SIGTERM, 1);
    EXPECT_EQ(shutdown_.handle_room_end(room_over_status), Step::none);
    EXPECT_EQ(shutdown_.exit_status(), 0);
}

} // namespace
} // namespace chatserv
