// --framing line with users of UNIX sockets, whose unfinished lines do not wait in their sockets.
#include "tests/integration/stats_query.h"

#include <csignal>
#include <sys/socket.h>
#include <sys/un.h>

namespace chatserv::test {
namespace {

class FramedUnixTest : public StatsServerTest {
protected:
    // One worker serves all users.
    void start_at_path(std::vector<std::string> options, const std::string& role = "") {
        options.insert(options.end(), {"--framing", "line", "--workers", "1", no_stall_limit,
                                          "--listen", role + "unix:" + path()});
        start_with_control(options);
        server_->wait_for_line("listening on unix:" + path());
    }

    [[nodiscard]] std::string path() const { return folder_.path().string() + "/door"; }

    // A user at the path, who has joined.
    UniqueFd new_user() {
        UniqueFd user(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(
            ::connect(user.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        server_->wait_for_line(" joined from unix");
        return user;
    }

    static void say(const UniqueFd& user, std::string_view words) {
        ASSERT_EQ(
            ::send(user.get(), words.data(), words.size(), 0), static_cast<ssize_t>(words.size()));
    }
};

// Each write(2) takes up room of its own in the send buffer of its user.
TEST_F(FramedUnixTest, ALineOfTheGreatestLengthMayComeByteByByte) {
    start_at_path({"--line-max", "32K"});
    const auto reader = join();
    const UniqueFd user = new_user();
    const std::string line = std::string(32'768, 'x') + "\n";
    for (const char& byte : line)
        say(user, {&byte, 1});
    say(user, "next\n");
    reader->wait_for("next\n");
    EXPECT_EQ(reader->received(), line + "next\n");
}

// Nothing is written to one that only speaks, so no death leaves it in doubt.
TEST_F(FramedUnixTest, AnUnfinishedLineOutlivesItsWorker) {
    start_at_path({}, "speak:");
    const auto reader = join();
    const auto other = join();
    const UniqueFd user = new_user();
    std::string expected;
    const auto wait_for = [&](const std::string& line) {
        expected += line;
        reader->wait_for_bytes(expected.size());
        ASSERT_EQ(reader->received(), expected);
    };
    for (std::size_t deaths = 1; deaths <= 3; ++deaths) {
        say(user, "first\nhalf ");
        wait_for("first\n");
        other->send("the worker has read that\n");
        wait_for("the worker has read that\n");
        ::kill(server_->worker_pids().front(), SIGKILL);
        server_->wait_for_line("worker 1 taken over by pid ", deaths);
        say(user, "and half\n");
        wait_for("half and half\n");
    }
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(FramedUnixTest, AUserThatLeavesDoesNotTakeItsUnfinishedLineAlong) {
    start_at_path({"--prefix", "address"});
    const auto reader = join();
    UniqueFd user = new_user();
    say(user, "first\nno ");
    reader->wait_for("first\n");
    say(user, "end");
    user.reset();
    reader->wait_for("no end\n");
    const std::string received = reader->received();
    const std::string prefix = received.substr(0, received.find(": ") + 2);
    EXPECT_EQ(prefix.substr(0, 4), "unix");
    EXPECT_EQ(received, prefix + "first\n" + prefix + "no end\n");
    server_->wait_for_line(" left: ");
}

} // namespace
} // namespace chatserv::test
