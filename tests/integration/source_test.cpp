// Sources that the server connects to: heard by all, made again, and lost to no death.
#include "tests/integration/source_test.h"

#include "shared/system/shared_table.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

TEST_F(SourceTest, IsHeardByAllAndHearsNothing) {
    PeerServer peer(loop_);
    start_with_source(peer.address());
    const auto feed = peer.accept();
    wait_until_connected();
    const auto first = join();
    const auto second = join();
    feed->send("a position;");
    first->wait_for("a position;");
    second->wait_for("a position;");
    first->send("a remark;");
    second->wait_for("a remark;");
    feed->send("another;");
    first->wait_for("another;");
    EXPECT_EQ(first->received(), "a position;another;");
    const auto said = source();
    EXPECT_EQ(said["source"], peer.address());
    EXPECT_EQ(said["role"], "speak");
    EXPECT_EQ(said["state"], "connected");
    EXPECT_EQ(said["slot"], 0);
    EXPECT_EQ(said["connections"], 1);
    const Finished users = run(
        loop_, {{chatserv_path(), "users", "--json", "--interval", "0", "--control", socket()}});
    const std::string feed_line = users.output.substr(0, users.output.find('\n'));
    EXPECT_EQ(nlohmann::json::parse(feed_line)["source"], peer.address());
    EXPECT_EQ(server_->stop(), 0);
    feed->wait_for_end();
    EXPECT_EQ(feed->received(), "");
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(SourceTest, CanBeSpokenToAndGetsAGreeting) {
    PeerServer peer(loop_);
    start_with_source("talk:" + peer.address(), {"--source-greeting", "?WATCH\\r\\n"});
    const auto feed = peer.accept();
    feed->wait_for("?WATCH\r\n");
    wait_until_joined(1);
    const auto user = join();
    user->send("hello;");
    feed->wait_for("hello;");
    feed->send("welcome;");
    user->wait_for("welcome;");
    EXPECT_EQ(feed->received(), "?WATCH\r\nhello;");
}

TEST_F(SourceTest, IsMadeAgainWhenItEnds) {
    PeerServer peer(loop_);
    start_with_source(peer.address(), {"--source-greeting", "hi"});
    const auto user = join();
    for (std::size_t round = 1; round <= 3; ++round) {
        const auto feed = peer.accept();
        wait_until_connected(round);
        feed->wait_for("hi");
        feed->send("round " + std::to_string(round) + ";");
        feed->end();
        user->wait_for("round " + std::to_string(round) + ";");
        server_->wait_for_line("is not connected: its connection has ended", round);
    }
    EXPECT_EQ(user->received(), "round 1;round 2;round 3;");
}

TEST_F(SourceTest, IsTriedUntilItsMachineAnswers) {
    PeerServer peer(loop_);
    peer.stop_listening();
    start_with_source(peer.address());
    server_->wait_for_line("is not connected: Connection refused; the next try is in ", 2);
    const auto said = source();
    EXPECT_EQ(said["error"], "Connection refused");
    EXPECT_EQ(said["slot"], nullptr);
    peer.listen();
    const auto feed = peer.accept();
    wait_until_connected();
    EXPECT_EQ(source()["error"], "");
}

TEST_F(SourceTest, IsMadeAgainWhenItFallsSilent) {
    PeerServer peer(loop_);
    start_with_source(peer.address(), {"--source-silence", "0.5"});
    const auto silent = peer.accept();
    silent->wait_for_end();
    server_->wait_for_line("is not connected: it sent nothing for 0.5 s");
    const auto feed = peer.accept();
    wait_until_connected(2);
}

// A name service, or a machine, that does not answer holds up its own source alone.
TEST_F(SourceTest, ThatAnswersNothingDelaysNobody) {
    const UniqueFd full(::socket(AF_INET, SOCK_STREAM, 0));
    const Endpoint any("127.0.0.1:0");
    ASSERT_EQ(::bind(full.get(), any.address(), any.length()), 0);
    ASSERT_EQ(::listen(full.get(), 0), 0);
    const Endpoint address = Endpoint::of_socket(full.get());
    std::vector<UniqueFd> queue; // until no more connections are answered
    for (int i = 0; i < 4; ++i) {
        queue.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
        set_nonblocking(queue.back().get());
        (void)::connect(queue.back().get(), address.address(), address.length());
    }
    start_with_source("tcp:" + address.text());
    expect_conversation();
    EXPECT_EQ(server_->count("is connected"), 0U);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(SourceTest, WaitsForAPlaceInTheTable) {
    PeerServer peer(loop_);
    peer.stop_listening();
    start_with_source(peer.address(), {"--users", "1"});
    server_->wait_for_line("Connection refused");
    auto user = join();
    peer.listen();
    server_->wait_for_line("the server has no place left for it");
    user.reset();
    wait_until_connected();
}

TEST_F(SourceTest, DoesNotCountAsAUserOfItsAddress) {
    PeerServer peer(loop_);
    start_with_source(peer.address(), {"--max-per-address", "1", "--deny", "127.0.0.9"});
    const auto feed = peer.accept();
    wait_until_connected();
    const auto user = join();
    feed->send("heard;");
    user->wait_for("heard;");
}

class SourceDeathTest : public SourceTest, public testing::WithParamInterface<const char*> {
protected:
    void SetUp() override {
        peer_ = std::string(GetParam()) == "tcp"
                    ? std::make_unique<PeerServer>(loop_)
                    : std::make_unique<PeerServer>(loop_, folder_.path() / "peer");
        start_with_source("talk:" + peer_->address(), {large_log, no_stall_limit});
        feed_ = peer_->accept();
        wait_until_joined(1);
        user_ = join();
    }

    // Neither the source nor the user has lost or repeated a byte.
    void expect_all(const std::string& said, const std::string& answered) {
        user_->wait_for_bytes(said.size());
        EXPECT_TRUE(user_->received() == said);
        loop_.wait_until([&] { return feed_->received().size() >= answered.size(); }, "the answer");
        EXPECT_TRUE(feed_->received() == answered);
        EXPECT_FALSE(feed_->ended());
        EXPECT_EQ(server_->count("is not connected"), 0U);
        EXPECT_EQ(source()["state"], "connected");
    }

    std::unique_ptr<PeerServer> peer_;
    std::unique_ptr<PeerConnection> feed_;
    std::unique_ptr<Client> user_;
};

TEST_P(SourceDeathTest, OfWorkersIsNotNoticed) {
    std::string said;
    std::string answered;
    for (std::size_t death = 0; death < 10; ++death) {
        const std::string more = numbered_lines(200'000);
        feed_->send(more);
        user_->send(more);
        said += more;
        answered += more;
        kill_worker(death % 2);
    }
    expect_all(said, answered);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_P(SourceDeathTest, OfMastersIsNotNoticed) {
    if (!can_share_descriptors())
        GTEST_SKIP() << "this system has no keeper";
    std::string said;
    std::string answered;
    for (std::size_t death = 0; death < 5; ++death) {
        const std::string more = numbered_lines(200'000);
        feed_->send(more);
        user_->send(more);
        said += more;
        answered += more;
        kill_master();
        kill_worker(death % 2);
    }
    expect_all(said, answered);
    // The last master knows the source's end as the first would have.
    feed_.reset();
    server_->wait_for_line("is not connected: ");
    feed_ = peer_->accept();
    wait_until_joined(3);
    user_->send("once more;");
    feed_->wait_for("once more;");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

INSTANTIATE_TEST_SUITE_P(Each, SourceDeathTest, testing::Values("tcp", "unix"),
    [](const auto& kind) { return std::string(kind.param); });

// It is on its way to a machine that does not answer when its master dies.
TEST_F(SourceTest, AProcessThatADeadMasterHadStartedIsReplaced) {
    if (!can_share_descriptors())
        GTEST_SKIP() << "this system has no keeper";
    PeerServer peer(loop_);
    peer.stop_listening();
    start_with_source(peer.address());
    server_->wait_for_line("Connection refused");
    kill_master();
    peer.listen();
    const auto feed = peer.accept();
    wait_until_connected();
    const auto user = join();
    feed->send("heard;");
    user->wait_for("heard;");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(SourceTest, ThatCannotBeUsedEndsTheStart) {
    const Finished twice =
        run(loop_, {{chatserv_path(), "--listen", "127.0.0.1:0", "--source=stdin,talk:stdin"}});
    EXPECT_EQ(twice.status, 64);
    EXPECT_THAT(last_line(twice.errors), HasSubstr("standard input twice"));
}

} // namespace
} // namespace chatserv::test
