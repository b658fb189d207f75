// chatserv as users see it through socat(1), which speaks to UNIX sockets as it does to TCP.
#include "tests/harness/process.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/netcat.h"
#include "tests/integration/server_test.h"

#include <csignal>

namespace chatserv::test {
namespace {

// The doors, in the order of the listen options.
enum Door : std::size_t { talk, listen };

// The parameter: the kind of the doors.
class SocatTest : public ServerTest, public testing::WithParamInterface<const char*> {
protected:
    void SetUp() override {
        if (!is_installed("socat"))
            GTEST_SKIP() << "socat is not installed";
        if (is_unix())
            start_on({"127.0.0.1:0"}, {"--workers", "2", "--listen", "unix:" + path(talk),
                                          "--listen", "listen:unix:" + path(listen)});
        else
            start_on({"127.0.0.1:0", "listen:127.0.0.1:0"}, {"--workers", "2"});
    }

    [[nodiscard]] static bool is_unix() { return std::string(GetParam()) == "unix"; }
    [[nodiscard]] std::string path(Door door) const {
        return (folder_.path() / (door == talk ? "talk" : "listen")).string();
    }
    // As socat names it.
    [[nodiscard]] std::string address(Door door) const {
        return is_unix() ? "UNIX-CONNECT:" + path(door) : "TCP:" + server_->endpoint(door).text();
    }

    // A user that has joined. `words`: socat's, behind the name of the program.
    std::unique_ptr<Process> new_user(std::vector<std::string> words) {
        const std::size_t joined = server_->count(" joined from ");
        words.insert(words.begin(), "socat");
        auto user = std::make_unique<Process>(loop_, Command{words});
        server_->wait_for_line(" joined from ", joined + 1);
        return user;
    }
    std::unique_ptr<Process> new_talker() { return new_user({"-", address(talk)}); }

    TemporaryDirectory folder_;
};

INSTANTIATE_TEST_SUITE_P(Each, SocatTest, testing::Values("unix", "tcp"),
    [](const auto& kind) { return std::string(kind.param); });

TEST_P(SocatTest, ItsUsersTalkToAllOthers) {
    const auto alice = new_talker();
    const auto bob = new_talker();
    const auto carol = join();
    alice->type("hello\n");
    bob->wait_for_output("hello\n");
    carol->wait_for("hello\n");
    carol->send("hello from afar\n");
    alice->wait_for_output("hello from afar\n");
    bob->wait_for_output("hello from afar\n");
    EXPECT_EQ(alice->output().text(), "hello from afar\n");
    alice->signal(SIGINT);
    alice->wait_for_exit();
    server_->wait_for_line("user 0 left: ");
    bob->type("still here\n");
    carol->wait_for("still here\n");
}

// `echo done | socat - ADDRESS`: everything arrives, and the slot is free again.
TEST_P(SocatTest, WhatIsPipedInArrivesBeforeItsUserLeaves) {
    const auto reader = join();
    std::string text = numbered_lines(300'000);
    const auto sender = new_talker();
    sender->type(text);
    sender->end_input();
    EXPECT_EQ(sender->wait_for_exit(), 0) << sender->errors().text();
    reader->wait_for_bytes(text.size());
    EXPECT_TRUE(reader->received() == text);
    server_->wait_for_line("user 1 left: end of file");
    EXPECT_EQ(sender->output().text(), "") << "nothing comes back to the sender";
}

// -u: socat only reads.
TEST_P(SocatTest, AReaderThatSendsNothingStays) {
    const auto reader = new_user({"-u", address(listen), "-"});
    reader->end_input();
    const auto talker = join();
    const std::string text = numbered_lines(300'000);
    talker->send(text);
    reader->wait_for_output("\n" + last_line(text) + "\n");
    EXPECT_TRUE(reader->output().text() == text);
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(reader->wait_for_exit(), 0);
}

// -t: after its own end of file socat goes on reading for as long.
TEST_P(SocatTest, AReaderAtTheEndOfItsInputStays) {
    const auto reader = new_user({"-t", "600", "-", address(listen)});
    reader->type("nobody hears this");
    reader->end_input();
    const auto talker = join();
    for (const std::string text : {"first\n", "second\n", "third\n"}) {
        talker->send(text);
        reader->wait_for_output(text);
    }
    EXPECT_EQ(reader->output().text(), "first\nsecond\nthird\n");
    EXPECT_EQ(talker->received(), "");
    EXPECT_EQ(server_->count(" left: "), 0U);
}

// OpenBSD's netcat at the same door, fed from /dev/null as a cron job's is.
TEST_P(SocatTest, ANetcatBesideItStaysToo) {
    if (!is_unix())
        GTEST_SKIP() << "netcat at a TCP socket: see RolesTest";
    if (const std::string reason = why_unusable(loop_, openbsd_netcat()); !reason.empty())
        GTEST_SKIP() << reason;
    const auto socat = new_user({"-u", address(listen), "-"});
    Process netcat(loop_, {{openbsd_netcat().program, "-U", path(listen)}});
    netcat.end_input();
    server_->wait_for_line(" joined from ", 2);
    const auto talker = new_talker();
    talker->type("for both\n");
    netcat.wait_for_output("for both\n");
    socat->wait_for_output("for both\n");
    EXPECT_EQ(server_->count(" left: "), 0U);
}

} // namespace
} // namespace chatserv::test
