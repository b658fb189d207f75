// A server that shares a room is upgraded: its bridge is of the new program as well. A bridge's
// program that does not fit that one is noticed before anything has ended.
#include "shared/segment/layout.h"
#include "tests/bridge/nats_cluster.h"
#include "tests/upgrade/upgrade_test.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

class BridgeUpgradeTest : public UpgradeTest {
protected:
    void start_joined() {
        start_installed({"--join", cluster_.urls().front(), "--room", "test"});
        server_->wait_for_line("this host has joined the room test");
    }
    [[nodiscard]] std::size_t bridges() const {
        return server_->count("a bridge to the room test (pid ");
    }

    NatsCluster cluster_{loop_, 1};
};

TEST_F(BridgeUpgradeTest, IsOfTheNewProgram) {
    start_joined();
    const auto first = join();
    const auto second = join();
    for (std::size_t times = 1; times <= 4; ++times) {
        const bool forth = times % 2 == 1;
        installation_.install(forth ? other_version() : usual_version());
        expect_upgrade(forth ? usual : other, forth ? other : usual);
        expect_service(*first, *second);
        loop_.wait_until([&] { return bridges() == times + 1; }, "another bridge");
    }
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

// What is wrong with the bridge beside the new program, and what the one line says of it.
struct BridgeFault {
    const char* name;
    void (*make)(Installation&);
    std::string why;
};

class FaultyBridgeUpgradeTest : public BridgeUpgradeTest,
                                public testing::WithParamInterface<BridgeFault> {};

TEST_P(FaultyBridgeUpgradeTest, LeavesTheServerAsItWas) {
    start_joined();
    expect_that_it_changes_nothing(
        [](Installation& there) {
            there.install(other_version());
            GetParam().make(there);
        },
        GetParam().why);
    EXPECT_EQ(bridges(), 2U) << "the former one was replaced once, by that of the sound program";
}

const std::string of_other = std::string("not 0.2.0-test (layout ") +
                             std::to_string(layout_version) + "): install that of chatserv 0.2.0-";
const BridgeFault faults[] = {
    {"NoBridge", [](Installation& there) { there.remove("chatserv-bridge"); },
        "there is no chatserv-bridge that can be run: install that of chatserv 0.2.0-test"},
    {"NotExecutable",
        [](Installation& there) {
            std::filesystem::permissions(
                there.path("chatserv-bridge"), std::filesystem::perms::owner_read);
        },
        "there is no chatserv-bridge that can be run: install that of chatserv 0.2.0-test"},
    {"OfTheFormerVersion",
        [](Installation& there) { there.install_one("chatserv-bridge", usual_version()); },
        "chatserv-bridge is " CHATSERV_VERSION " (layout " + std::to_string(layout_version) +
            "), " + of_other},
    {"OfAnotherLayout",
        [](Installation& there) {
            there.install_script_as("chatserv-bridge", "echo '999 0.2.0-test' > /dev/fd/$2");
        },
        "chatserv-bridge is 0.2.0-test (layout 999), " + of_other},
    {"OfAnotherKind",
        [](Installation& there) { there.install_script_as("chatserv-bridge", "exit 3"); },
        "chatserv-bridge does not say its version (exit status 3): install that of chatserv 0.2.0"},
};
INSTANTIATE_TEST_SUITE_P(Faults, FaultyBridgeUpgradeTest, testing::ValuesIn(faults),
    [](const testing::TestParamInfo<BridgeFault>& fault) { return std::string(fault.param.name); });

} // namespace
} // namespace chatserv::test
