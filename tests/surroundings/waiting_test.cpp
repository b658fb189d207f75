// A start at which others do not answer: the server continues without them, or reports what it
// waits for.
#include "tests/surroundings/surroundings_test.h"

#include "tests/harness/peer_server.h"
#include "tests/harness/temporary_directory.h"
#include "tests/surroundings/name_server.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace chatserv::test {
namespace {

using WaitingTest = SurroundingsTest;

TEST_F(WaitingTest, ListensThoughTheLoopbackDropsPackets) {
    if (const std::string why = why_not({"--deaf-loopback"}); !why.empty())
        GTEST_SKIP() << why;
    start_in({"--deaf-loopback"});
    EXPECT_EQ(server_->count("it could not be tried on loopback within a second"), 1U);
    EXPECT_EQ(server_->stop(), 0);
}

// A source whose name is being looked up, by a name server that takes its time.
TEST_F(WaitingTest, ServesNewcomersWhileTheNameServerOfASourceDoesNotAnswer) {
    NameServer names;
    if (!names.why_not().empty())
        GTEST_SKIP() << names.why_not();
    const TemporaryDirectory directory;
    const std::string settings = directory.file(
        "resolv.conf", "nameserver " + names.address() + "\noptions timeout:30 attempts:1\n");
    const Surroundings surroundings{"--over", "/etc/resolv.conf", settings};
    if (const std::string why = why_not(surroundings); !why.empty())
        GTEST_SKIP() << why;
    PeerServer peer(loop_);
    const std::string port = peer.address().substr(peer.address().rfind(':'));
    start_in(surroundings, {"--source", "tcp:feed.example.org" + port});
    ASSERT_TRUE(comes_true([&] { return names.was_asked(); }));
    const auto first = join();
    const auto second = join();
    first->send("hello");
    second->wait_for("hello");
    EXPECT_EQ(server_->count("connected"), 0U) << "the name is still being looked up";
    names.answer_all();
    const auto feed = peer.accept();
    server_->wait_for_line(" is connected: user 2");
    feed->send("the feed");
    first->wait_for("the feed");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

// A user database that does not answer: getpwnam(3) waits until a process writes to the FIFO.
TEST_F(WaitingTest, ReportsThatItWaitsForTheUserDatabase) {
    const TemporaryDirectory directory;
    const std::string fifo = directory.path() / "passwd";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0644), 0);
    const Surroundings surroundings{"--over", "/etc/passwd", fifo};
    if (const std::string why = why_not(surroundings); !why.empty())
        GTEST_SKIP() << why;
    Process server(loop_, command_in(surroundings, {"--user", "nobody"}));
    loop_.wait_until(
        [&] { return server.exited() || server.errors().text().find('\n') != std::string::npos; },
        "the server to say what it waits for");
    EXPECT_THAT(server.errors().text(),
        testing::HasSubstr("still looking up the user \"nobody\", for at most 30 s"));
    EXPECT_FALSE(server.exited());
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_for_exit(), 128 + SIGTERM);
}

} // namespace
} // namespace chatserv::test
