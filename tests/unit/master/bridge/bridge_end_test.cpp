// What waits for the room, and what becomes of it when the room has an end.
#include "tests/unit/master/bridge/bridge_process_test.h"

namespace chatserv {
namespace {

using BridgeEndTest = BridgeProcessTest;

TEST_F(BridgeEndTest, NoneIsStartedWhereTheRoomIsOver) {
    use_program("exit 3");
    store_release(segment_.room().report.loss, static_cast<uint32_t>(OrderLoss::backwards));
    BridgeProcess& bridge = master();
    EXPECT_EQ(bridge.loss(), OrderLoss::backwards);
    bridge.look(true);
    EXPECT_EQ(bridge.pid(), 0);
    EXPECT_EQ(deaths(), 0U);
}

TEST_F(BridgeEndTest, ARoomIsOverWhenTheBridgeThatSaysSoHasEnded) {
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

TEST_F(BridgeEndTest, TellsHowMuchWaits) {
    use_program(lives_on);
    BridgeProcess& bridge = master();
    EXPECT_EQ(bridge.waiting_bytes(), 0U);
    store_release(segment_.outbound_control().head, 500U);
    store_release(segment_.room().counted, 100U);
    EXPECT_EQ(bridge.waiting_bytes(), 400U);
}

TEST_F(BridgeEndTest, WhatWaitsForARoomThatWasGivenUpIsThrownAway) {
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

TEST_F(BridgeEndTest, WhatWaitsForARoomThatIsOverIsThrownAway) {
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
