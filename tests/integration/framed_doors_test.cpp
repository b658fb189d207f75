// --framing line with users who only listen, only speak or resume, and with sources.
#include "tests/integration/source_test.h"

#include <csignal>
#include <fstream>
#include <gmock/gmock.h>

namespace chatserv::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::StartsWith;

// The doors, in the order of the listen options.
enum Door : std::size_t { talk, listen, speak, resume };

class FramedDoorsTest : public StatsServerTest {
protected:
    void start_with_doors(std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--control", socket(), "--framing", "line", no_stall_limit});
        start_on({"127.0.0.1:0", "listen:127.0.0.1:0", "speak:127.0.0.1:0", "resume:127.0.0.1:0"},
            options);
    }
};

TEST_F(FramedDoorsTest, OnlyThoseWhoAreHeardHaveLines) {
    start_with_doors();
    const auto talker = join(talk);
    const auto listener = join(listen);
    const auto speaker = join(speak);
    listener->send(std::string(20'000'000, 'x')); // more than its socket could keep
    talker->send("half ");
    speaker->send("spoken\nno end");
    listener->wait_for("spoken\n");
    loop_.wait_until([&] { return listener->is_sent(); }, "the listener's bytes to be sent");
    talker->send("and half\n");
    listener->wait_for("and half\n");
    speaker->half_close();
    speaker->wait_for_end();
    listener->wait_for("no end\n");
    EXPECT_EQ(listener->received(), "spoken\nhalf and half\nno end\n");
    listener->half_close();
    talker->send("still heard\n");
    listener->wait_for("still heard\n");
    EXPECT_EQ(server_->count("user 1 left: "), 0U);
    EXPECT_EQ(server_->stop(), 0);
}

// The first line of one is the place that it asks for, not its name.
TEST_F(FramedDoorsTest, AReaderThatResumesIsSentWholeLines) {
    start_with_doors({"--prefix", "name"});
    const auto talker = join(talk);
    const auto listener = join(listen);
    talker->send("Ada\nhello\nhal");
    listener->wait_for("Ada: hello\n");
    const auto reader = join(resume);
    reader->send("resume old");
    talker->send("f\n");
    listener->wait_for("Ada: half\n");
    reader->send("est\nthis is thrown away\n");
    reader->wait_for("Ada: half\n");
    const std::string received = reader->received();
    EXPECT_EQ(received.substr(0, 5), "from ");
    EXPECT_EQ(received.substr(received.find('\n') + 1), "Ada: hello\nAda: half\n");
    EXPECT_EQ(listener->received(), "Ada: hello\nAda: half\n");
}

TEST_F(FramedDoorsTest, AReplayOfLinesBeginsWithAPrefix) {
    start_with_doors({"--prefix", "name", "--replay", "2"});
    const auto talker = join(talk);
    const auto listener = join(listen);
    talker->send("Ada\none\ntwo\nthree\nunfinished");
    listener->wait_for("three\n");
    const auto newcomer = join(listen);
    newcomer->wait_for("three\n");
    EXPECT_EQ(newcomer->received(), "Ada: two\nAda: three\n");
}

class FramedSourceTest : public SourceTest {
protected:
    void append(const std::string& text) const { std::ofstream(path(), std::ios::app) << text; }
    [[nodiscard]] std::string path() const { return (folder_.path() / "log").string(); }
};

// A source has no name that it could give: its first line is one like the others.
TEST_F(FramedSourceTest, ASourceHasLinesAsAUserHas) {
    append("");
    start_with_source("file:" + path(), {"--framing", "line", "--prefix", "name", no_stall_limit});
    wait_until_connected();
    const auto user = join();
    append("first\nhalf ");
    user->wait_for("first\n");
    append("and half\nno end");
    user->wait_for("and half\n");
    ::kill(process_of_source(), SIGKILL);
    server_->wait_for_line("is not connected: its connection has ended");
    wait_until_connected(2);
    append("\nlast\n");
    user->wait_for("last\n");
    EXPECT_THAT(user->received(),
        AllOf(StartsWith("source 1: first\nsource 1: half and half\nsource 1: no end\n"),
            EndsWith("source 1: last\n")));
}

} // namespace
} // namespace chatserv::test
