// MW18, while people talk: the bridge of a host dies, and its master dies at each step of the
// recovery. Nobody on any host notices: nothing is lost, comes twice or in another order.
#include "master/ledger/master_point.h"
#include "tests/cluster/crowd.h"
#include "tests/cluster/room.h"
#include "tests/harness/seed.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <unistd.h>

namespace chatserv::test {
namespace {

struct RecoveryCase {
    MasterPoint point;
    const char* name;
};
constexpr std::array cases{
    RecoveryCase{MasterPoint::companion_exit_noted, "ExitNoted"},
    RecoveryCase{MasterPoint::companion_reaped, "Reaped"},
    RecoveryCase{MasterPoint::companion_recovered, "Recovered"},
};
static_assert(cases.size() == static_cast<std::size_t>(MasterPoint::count) -
                                  static_cast<std::size_t>(MasterPoint::companion_exit_noted),
    "a master point of the bridge has no test: add it to `cases`");

constexpr std::size_t deaths_each = 4;
constexpr std::uint64_t bytes_per_death = 30'000; // of each who speaks

class BridgeRecoveryTest : public testing::TestWithParam<RecoveryCase> {
protected:
    BridgeRecoveryTest() {
        std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
    }

    static std::string binary() {
        const char* const path = std::getenv("CHATSERV_WITH_CRASH_POINTS");
        if (path == nullptr)
            throw std::runtime_error("CHATSERV_WITH_CRASH_POINTS is not set: run meson test");
        return path;
    }
    void arm() {
        const auto point = static_cast<unsigned>(GetParam().point);
        (void)folder.file("master-" + std::to_string(point), "");
    }
    // People talk meanwhile.
    void talk_until(const std::function<bool()>& is_so, const char* what) {
        loop.wait_until(
            [&] {
                crowd.observe();
                crowd.speak(stream_bytes, random);
                return is_so() || crowd.someone_was_cut();
            },
            what);
    }

    Loop loop;
    TemporaryDirectory folder;
    NatsCluster nats{loop, 1};
    std::mt19937_64 random{base_seed()};
    Room room{loop, nats,
        {.hosts = 2,
            .more = {"--workers", "2", "--stall-limit", "600"},
            .binary = binary(),
            .environment = {{"CHATSERV_CRASH_DIR", folder.path().string()}}}};
    Crowd crowd{loop, room, base_seed()};
    std::uint64_t stream_bytes = 0; // that each has to say so far
};

TEST_P(BridgeRecoveryTest, NobodyNotices) {
    for (std::size_t i = 0; i < 8; ++i)
        crowd.invite(i % 2);
    crowd.wait_until_joined();
    for (std::size_t death = 1; death <= deaths_each; ++death) {
        stream_bytes += bytes_per_death;
        const std::uint64_t heard = crowd.received_bytes_on(1);
        talk_until([&] { return crowd.received_bytes_on(1) > heard; }, "words in the room");
        const std::optional<pid_t> former = room.bridge_pid(0);
        ASSERT_TRUE(former);
        arm();
        ::kill(*former, SIGKILL);
        talk_until([&] { return std::filesystem::is_empty(folder.path()); }, "the master's death");
        stream_bytes += bytes_per_death;
        talk_until(
            [&] {
                const std::optional<pid_t> now = room.bridge_pid(0);
                return now && now != former && crowd.has_queued(stream_bytes) &&
                       crowd.has_delivered();
            },
            "the end of a recovery");
    }
    crowd.settle();
    EXPECT_THAT(crowd.violations(), testing::IsEmpty());
    EXPECT_EQ(room.host(0).count(") carries on, with 4 users"), deaths_each);
    EXPECT_EQ(room.host(1).count(") carries on, with "), 0U);
    EXPECT_THAT(room.stop(), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(MW18, BridgeRecoveryTest, testing::ValuesIn(cases),
    [](const auto& tested) { return std::string(tested.param.name); });

} // namespace
} // namespace chatserv::test
