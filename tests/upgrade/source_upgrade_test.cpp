// Sources in an upgrade: those that are connected stay so, and are made again by the new program.
#include "tests/harness/peer_server.h"
#include "tests/upgrade/upgrade_test.h"

namespace chatserv::test {
namespace {

class SourceUpgradeTest : public UpgradeTest {};

TEST_F(SourceUpgradeTest, NoSourceNotices) {
    PeerServer tcp(loop_);
    PeerServer local(loop_, (folder_.path() / "peer").string());
    start_installed({"--source", tcp.address(), "--source", local.address()});
    const auto first = tcp.accept();
    auto second = local.accept();
    server_->wait_for_line(" is connected: user ", 2);
    const auto user = join();
    for (int times = 1; times <= 4; ++times) {
        const std::string words = "round " + std::to_string(times) + ";";
        installation_.install(times % 2 == 1 ? other_version() : usual_version());
        Process command(loop_, upgrade_command());
        first->send("tcp, " + words);
        second->send("unix, " + words);
        EXPECT_EQ(command.wait_for_exit(), 0) << command.errors().text();
        user->wait_for("tcp, " + words);
        user->wait_for("unix, " + words);
    }
    EXPECT_EQ(server_->count("is not connected"), 0U);
    second.reset();
    second = local.accept();
    second->send("made again;");
    user->wait_for("made again;");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

// A server that was started with other sources, or with none.
TEST_F(SourceUpgradeTest, TheSourcesOfAReloadGoOn) {
    PeerServer first(loop_);
    PeerServer second(loop_);
    const auto reload = [&](const std::string& text) {
        (void)folder_.file("chatserv.conf", text);
        const Finished finished = run(loop_, {{usual_version(), "reload", "--control", socket()}});
        EXPECT_EQ(finished.status, 0) << finished.errors;
    };
    start_installed({"--config", folder_.file("chatserv.conf", "")});
    const auto user = join();
    reload("source = " + first.address() + "\n");
    const auto gone = first.accept();
    server_->wait_for_line("source " + first.address() + " is connected: user ");
    reload("source = " + second.address() + "\n");
    auto feed = second.accept();
    server_->wait_for_line("source " + second.address() + " is connected: user ");
    gone->wait_for_end();
    server_->wait_for_line("source " + first.address() + " is gone");
    installation_.install(other_version());
    expect_upgrade(usual, other);
    feed->send("the same connection;");
    user->wait_for("the same connection;");
    reload("source = " + second.address() + ", " + first.address() + "\n");
    const auto back = first.accept();
    back->send("made by the new program;");
    user->wait_for("made by the new program;");
    feed->send("and the other;");
    user->wait_for("and the other;");
    EXPECT_EQ(server_->count("is not connected"), 0U);
    installation_.install(usual_version());
    expect_upgrade(other, usual);
    reload("");
    feed->wait_for_end();
    back->wait_for_end();
    server_->wait_for_line(" is gone: it is not in the configuration any more", 3);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(SourceUpgradeTest, ANewProgramThatCannotMakeThemIsRefused) {
    PeerServer peer(loop_);
    start_installed({"--source", peer.address()});
    const auto feed = peer.accept();
    installation_.install(other_version());
    installation_.remove("chatserv-source");
    expect_failure("there is no chatserv-source that can be run");
    const auto user = join();
    feed->send("still here;");
    user->wait_for("still here;");
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
