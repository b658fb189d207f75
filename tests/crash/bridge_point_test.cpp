// The master points of a bridge's recovery, with real processes (MW18): the master is killed at
// exactly that instant, and its successor repairs what the bridge has left and starts another one.
// No server of NATS is there: the bridge goes on trying to reach one, and what users send waits.
#include "tests/crash/master_point_scene.h"

#include <array>
#include <csignal>

namespace chatserv::test {
namespace {

struct BridgeCase {
    MasterPoint point;
    const char* name;
};

constexpr std::array cases{
    BridgeCase{MasterPoint::companion_exit_noted, "MW18ExitNoted"},
    BridgeCase{MasterPoint::companion_reaped, "MW18Reaped"},
    BridgeCase{MasterPoint::companion_recovered, "MW18Recovered"},
};
static_assert(cases.size() == static_cast<std::size_t>(MasterPoint::count) -
                                  static_cast<std::size_t>(MasterPoint::companion_exit_noted),
    "a master point of the bridge has no test: add it to `cases`");

class BridgePointTest : public MasterPointScene, public testing::WithParamInterface<BridgeCase> {
protected:
    void everyone_speaks(const std::string& /*occasion*/) override {} // nobody would hear it

    pid_t bridge() { return status().at("room").at("bridge"); }
};

INSTANTIATE_TEST_SUITE_P(Windows, BridgePointTest, testing::ValuesIn(cases),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(BridgePointTest, ASuccessorFinishesIt) {
    open(build_named("CHATSERV_WITH_CRASH_POINTS"),
        {"--join", "nats://127.0.0.1:1", "--room", "test"});
    server_->wait_for_line("a bridge to the room test (pid ");
    const pid_t former = bridge();
    ASSERT_NE(former, 0);
    arm_master(GetParam().point);
    ::kill(former, SIGKILL);
    wait_for_death(GetParam().point);
    loop_.wait_until(
        [&] {
            const pid_t now = bridge();
            return now != 0 && now != former;
        },
        "another bridge");
    expect_exact_books();
    stop();
}

} // namespace
} // namespace chatserv::test
