// What users of other relays have reported in public, each with the thread: here it must not
// happen.
#include "tests/integration/netcat.h"
#include "tests/integration/serial_device.h"
#include "tests/integration/source_test.h"

#include <csignal>

namespace chatserv::test {
namespace {

// The doors, in the order of the listen options.
enum Door : std::size_t { talk, listen, speak };

class FieldReportTest : public SourceTest {
protected:
    void start_with_doors(std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--workers", "2", "--control", socket()});
        start_on({"127.0.0.1:0", "listen:127.0.0.1:0", "speak:127.0.0.1:0"}, options);
    }

    // 4 MB from the door `speak` reach a reader, and the listener that takes nothing is gone.
    void expect_that_it_holds_nobody_up(const Client& lost) {
        const auto reader = join(listen);
        const auto feed = join(speak);
        const std::string much = numbered_lines(4'000'000);
        feed->send(much);
        reader->wait_for_bytes(much.size());
        EXPECT_TRUE(reader->received() == much);
        server_->wait_for_line("user 0 left: ");
        EXPECT_EQ(server_->count(" left: "), 1U);
        EXPECT_FALSE(feed->ended()) << lost.address();
    }
};

// https://github.com/nmap/nmap/issues/2827: the listening ncat quits with `Program bug: fd (4) not
// on list` when one of its readers has left and the next line is typed.
TEST_F(FieldReportTest, AListenerThatLeavesDoesNotEndASendOnlyServer) {
    if (const std::string reason = why_unusable(loop_, ncat()); !reason.empty())
        GTEST_SKIP() << reason;
    const std::string path = (folder_.path() / "sock").string();
    start_on({"127.0.0.1:0"}, {"--stdin", "--listen", "listen:unix:" + path});
    wait_until_joined(1);
    const Command reader{{"ncat", "--unixsock", path, "--recv-only"}};
    Process first(loop_, reader);
    Process second(loop_, reader);
    wait_until_joined(3);
    server_->process().type("foo\n");
    first.wait_for_output("foo\n");
    second.wait_for_output("foo\n");
    second.signal(SIGINT);
    second.wait_for_exit();
    server_->wait_for_line(" left: ");
    server_->process().type("bar\n");
    first.wait_for_output("foo\nbar\n");
    EXPECT_EQ(server_->stop(), 0);
}

// The same thread, with many readers that leave in both ways while the feed is in full flow.
TEST_F(FieldReportTest, ListenersComeAndGoWithoutTheFeedNoticing) {
    start_with_doors();
    const auto feed = join(speak);
    for (unsigned visit = 1; visit <= 20; ++visit) {
        const auto visitor = join(listen);
        const std::string text = "report " + std::to_string(visit) + ";";
        feed->send(text);
        visitor->wait_for(text);
        if (visit % 2 == 0)
            visitor->reset();
        else
            visitor->close();
    }
    feed->send("after all;");
    const auto last = join(listen);
    feed->send("the end;");
    last->wait_for("the end;");
    EXPECT_FALSE(feed->ended());
    EXPECT_EQ(server_->stop(), 0);
}

// https://github.com/cminyard/ser2net/issues/139: when the machine of one reader is unreachable,
// the others hang as soon as its buffer is full.
TEST_F(FieldReportTest, AnUnreachableReaderHoldsNobodyUpBeyondTheStallLimit) {
    start_with_doors({"--log-size", "64K", "--stall-limit", "0.5"});
    const auto lost = join(listen, 2048);
    if (!lost->fall_silent())
        GTEST_SKIP() << "no client can be made to fall silent here";
    expect_that_it_holds_nobody_up(*lost);
}

// The same thread: a reader whose machine answers, and which is stuck itself.
TEST_F(FieldReportTest, AStuckReaderHoldsNobodyUpBeyondTheStallLimit) {
    start_with_doors({"--log-size", "64K", "--stall-limit", "0.5"});
    const auto lost = join(listen, 2048);
    lost->pause();
    expect_that_it_holds_nobody_up(*lost);
}

class SerialReportTest : public FieldReportTest {
protected:
    SerialDevice device_{folder_.path() / "ttyUSB0"};
};

// https://github.com/cminyard/ser2net/issues/90: the second reader of a device ends the first one.
TEST_F(SerialReportTest, ManyReadersShareOneDevice) {
    start_with_doors({"--users", "20", "--source", "talk:serial:" + device_.path()});
    wait_until_joined(1);
    device_.attach(loop_);
    std::vector<std::unique_ptr<Client>> users;
    std::string said;
    std::string typed;
    for (int number = 0; number < 16; ++number) {
        users.push_back(join(number % 2 == 0 ? talk : listen));
        const std::string text = "reading " + std::to_string(number) + "\r\n";
        device_.say(text);
        for (const auto& user : users)
            user->wait_for(text);
        said += text;
    }
    EXPECT_EQ(users.front()->received(), said);
    for (std::size_t number = 0; number < users.size(); number += 2) {
        const std::string text = "from " + std::to_string(number) + "\n";
        users[number]->send(text);
        typed += text;
        loop_.wait_until([&] { return device_.heard() == typed; }, "the device to get " + text);
    }
    EXPECT_EQ(server_->count(" left: "), 0U);
}

// https://github.com/cminyard/ser2net/issues/67: a device that disappears for a moment costs the
// readers their connections.
TEST_F(SerialReportTest, ReadersStayWhileTheDeviceIsUnplugged) {
    start_with_doors({"--source", "talk:serial:" + device_.path()});
    wait_until_joined(1);
    device_.attach(loop_);
    const auto talker = join(talk);
    const auto listener = join(listen);
    device_.say("before;");
    talker->wait_for("before;");
    device_.unplug();
    server_->wait_for_line("No such file or directory");
    talker->send("is anybody there?;");
    listener->wait_for("is anybody there?;");
    device_.plug();
    wait_until_connected(2);
    device_.attach(loop_);
    device_.say("after;");
    talker->wait_for("before;after;");
    listener->wait_for("after;");
    talker->send("welcome back;");
    loop_.wait_until([&] { return device_.heard() == "welcome back;"; }, "the device's answer");
    EXPECT_FALSE(talker->ended());
    EXPECT_FALSE(listener->ended());
}

// https://github.com/sdr-enthusiasts/docker-dump978/issues/65: a feed that has said nothing for so
// long is connected to anew. The readers are not to notice.
TEST_F(FieldReportTest, AFeedThatGoesSilentIsMadeAgainAndReadersStay) {
    PeerServer receiver(loop_);
    start_with_doors({"--source", receiver.address(), "--source-silence", "0.5"});
    const auto first = receiver.accept();
    wait_until_connected();
    const auto listener = join(listen);
    first->send("a position;");
    listener->wait_for("a position;");
    first->wait_for_end();
    server_->wait_for_line("is not connected: it sent nothing for 0.5 s");
    const auto second = receiver.accept();
    wait_until_connected(2);
    second->send("the next one;");
    listener->wait_for("the next one;");
    EXPECT_EQ(listener->received(), "a position;the next one;");
    EXPECT_FALSE(listener->ended());
}

// https://github.com/nmap/nmap/issues/2567, and 808: what two senders say at the same time comes
// out commingled. Each feed stops in the midst of a line until the other has said a whole one.
TEST_F(FieldReportTest, LinesOfTwoFeedsDoNotMix) {
    PeerServer gps(loop_);
    PeerServer ais(loop_);
    start_with_doors({"--source", gps.address(), "--source", ais.address(), "--framing", "line",
        no_stall_limit});
    const auto first = gps.accept();
    const auto second = ais.accept();
    wait_until_joined(2);
    const auto listener = join(listen);
    std::string expected;
    first->send("$GPGGA,");
    for (int round = 0; round < 50; ++round) {
        const std::string number = std::to_string(round);
        second->send(number + ",A,14eG;o@034o8sd,0*7D\r\n!AIVDM,");
        expected += (round == 0 ? "" : "!AIVDM,") + number + ",A,14eG;o@034o8sd,0*7D\r\n";
        listener->wait_for_bytes(expected.size());
        first->send(number + ",4717.11,N,00833.91,E*47\r\n$GPGGA,");
        expected += "$GPGGA," + number + ",4717.11,N,00833.91,E*47\r\n";
        listener->wait_for_bytes(expected.size());
    }
    EXPECT_EQ(listener->received(), expected);
}

} // namespace
} // namespace chatserv::test
