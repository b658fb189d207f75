// W7: a worker dies while a client moves. The entry that the slot names serves the client next,
// whatever the master was told. (tests/crash kills real workers there.)
#include "tests/unit/worker/lifecycle/two_workers_test.h"

namespace chatserv {
namespace {

using MovingDeathsTest = ThreeTalkersTest;

TEST_F(MovingDeathsTest, TheSuccessorAdoptsAClientThatTheMasterWasNotToldOf) {
    ASSERT_TRUE(asked_for(0, entry_0));
    say(1, "after the death;");
    begin_worker(entry_0);
    EXPECT_EQ(status(0).state, SlotState::attached);
    EXPECT_EQ(status(0).owner, entry_0);
    serve_both();
    EXPECT_EQ(heard_by(0), "after the death;");
    EXPECT_EQ(heard_by(2), "after the death;");
    expect_that_all_can_talk();
}

TEST_F(MovingDeathsTest, ASuccessorThatIsNotGivenTheClientLeavesItToItsNextWorker) {
    ASSERT_TRUE(asked_for(0, entry_0));
    ASSERT_TRUE(users_.reassign(client_id(0), entry_0, entry_1)); // its last words came first
    begin_worker(entry_0);
    send_to(entry_0, 0); // late word
    worker(entry_0).settle();
    EXPECT_EQ(status(0).state, SlotState::handed_over);
    send_to(entry_1, 0);
    worker(entry_1).settle();
    expect_that_all_can_talk();
}

TEST_F(MovingDeathsTest, TheNextWorkersSuccessorAdoptsTheClient) {
    ASSERT_TRUE(asked_for(0, entry_0));
    ASSERT_TRUE(users_.reassign(client_id(0), entry_0, entry_1));
    begin_worker(entry_1);
    EXPECT_EQ(status(0).state, SlotState::attached);
    expect_that_all_can_talk();
    begin_worker(entry_1);
    expect_that_all_can_talk();
}

} // namespace
} // namespace chatserv
