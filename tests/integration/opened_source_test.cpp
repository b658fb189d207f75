// Sources that the server opens: files, serial lines, and standard input and output.
#include "tests/integration/serial_device.h"
#include "tests/integration/source_test.h"

#include "shared/system/shared_table.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;

class FileSourceTest : public SourceTest {
protected:
    void append(const std::string& text) const { std::ofstream(path(), std::ios::app) << text; }
    [[nodiscard]] std::string path() const { return (folder_.path() / "log").string(); }
    void start_following() {
        start_with_source("file:" + path(), {large_log, no_stall_limit});
        wait_until_connected();
        user_ = join();
    }

    std::unique_ptr<Client> user_;
};

TEST_F(FileSourceTest, IsFollowedThroughRotationAndTruncation) {
    append("before;");
    start_following();
    append("one;");
    user_->wait_for("one;");
    fs::rename(path(), path() + ".1");
    append("two;");
    user_->wait_for("two;");
    fs::resize_file(path(), 0);
    append("3;");
    user_->wait_for("3;");
    EXPECT_EQ(user_->received(), "one;two;3;");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(FileSourceTest, LosesNothingWhenWorkersDie) {
    append("");
    start_following();
    std::string said;
    for (std::size_t death = 0; death < 10; ++death) {
        const std::string more = numbered_lines(300'000);
        append(more);
        said += more;
        if (death == 5)
            fs::rename(path(), path() + ".1");
        kill_worker(death % 2);
    }
    user_->wait_for_bytes(said.size());
    EXPECT_TRUE(user_->received() == said);
    EXPECT_EQ(server_->count("is not connected"), 0U);
}

TEST_F(FileSourceTest, IsOpenedAgainWhenItsProcessDies) {
    append("");
    start_following();
    const pid_t reader = process_of_source();
    ASSERT_NE(reader, 0);
    append("before;");
    user_->wait_for("before;");
    ::kill(reader, SIGKILL);
    server_->wait_for_line("is not connected: its connection has ended");
    append("meanwhile;");
    user_->wait_for("meanwhile;");
    append("after;");
    user_->wait_for("after;");
    EXPECT_EQ(user_->received(), "before;meanwhile;after;");
}

// Whichever process dies, and in the midst of what it does: every byte once.
TEST_F(FileSourceTest, IsReadOnceThoughItsProcessesAndMastersDie) {
    append("");
    start_following();
    std::string said;
    for (std::size_t death = 1; death <= 4; ++death) {
        if (death == 3 && can_share_descriptors())
            kill_master();
        for (int i = 0; i < 5; ++i) {
            const std::string more = numbered_lines(500'000);
            append(more);
            said += more;
        }
        ASSERT_TRUE(comes_true([&] { return process_of_source() != 0; }));
        ::kill(process_of_source(), SIGKILL);
        server_->wait_for_line("is not connected: ", death);
        wait_until_connected(death + 1);
    }
    user_->wait_for_bytes(said.size());
    EXPECT_TRUE(user_->received() == said);
}

TEST_F(FileSourceTest, ItsProcessEndsWithTheServer) {
    append("");
    start_following();
    ASSERT_NE(process_of_source(), 0);
    server_->kill();
    EXPECT_TRUE(server_->process().group_is_gone());
}

class SerialSourceTest : public SourceTest {
protected:
    void wait_until_heard(const std::string& text) {
        loop_.wait_until([&] { return device_.heard() == text; }, "the line to get " + text);
    }

    SerialDevice device_{folder_.path() / "ttyUSB0"};
};

TEST_F(SerialSourceTest, IsSharedByAll) {
    start_with_source("talk:serial:" + device_.path() + ",115200");
    wait_until_joined(1);
    device_.attach(loop_);
    const auto first = join();
    const auto second = join();
    const std::string prompt = "login\r\n\x03";
    device_.say(prompt);
    first->wait_for(prompt);
    second->wait_for(prompt);
    first->send("root\n");
    second->wait_for("root\n");
    wait_until_heard("root\n");
    for (const std::size_t entry : {0U, 1U})
        kill_worker(entry);
    second->send("again\n");
    wait_until_heard("root\nagain\n");
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(SerialSourceTest, IsOpenedAgainWhenItIsUnplugged) {
    start_with_source("serial:" + device_.path());
    wait_until_connected();
    device_.unplug();
    server_->wait_for_line("No such file or directory");
    device_.plug();
    wait_until_connected(2);
    device_.attach(loop_);
    const auto user = join();
    device_.say("back;");
    user->wait_for("back;");
}

// Two programs that read one line would each get a part of what it says.
TEST_F(SerialSourceTest, OneThatIsOnlySentToLeavesWhatComesToAnotherProgram) {
    start_with_source("listen:serial:" + device_.path());
    wait_until_joined(1);
    device_.attach(loop_);
    PipeReader other(loop_,
        UniqueFd(::open(device_.path().c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)));
    const auto user = join();
    std::string said;
    for (int number = 1; number <= 20; ++number) {
        const std::string typed = "typed " + std::to_string(number) + ";";
        user->send(typed);
        said += typed;
        wait_until_heard(said);
        device_.say(typed);
        loop_.wait_until([&] { return other.text() == said; }, "the other program to get " + typed);
    }
    EXPECT_EQ(user->received(), "");
    device_.unplug();
    server_->wait_for_line("is not connected: ");
}

class StandardStreamTest : public SourceTest {
protected:
    void start_at_a_pipe(std::vector<std::string> options) {
        start_with_control(std::move(options));
        wait_until_joined(1);
    }
};

TEST_F(StandardStreamTest, InputFeedsEverybodyAndMayEnd) {
    start_at_a_pipe({"--stdin"});
    const auto first = join();
    const auto second = join();
    server_->process().type("a line\n");
    first->wait_for("a line\n");
    second->wait_for("a line\n");
    server_->process().end_input();
    server_->wait_for_line("source stdin has ended");
    EXPECT_EQ(source()["state"], "over");
    first->send("we stay;");
    second->wait_for("we stay;");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(server_->process().output().text(), "");
}

TEST_F(StandardStreamTest, InputCanStopTheServerWhenAllOfItIsRelayed) {
    start_at_a_pipe({"--stdin", "--stdin-end", "stop", large_log, no_stall_limit});
    const auto user = join_paused();
    const std::string text = numbered_lines(1'000'000);
    server_->process().type(text);
    server_->process().end_input();
    server_->wait_for_line("source stdin has ended");
    user->resume();
    user->wait_for_end();
    EXPECT_TRUE(user->received() == text);
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(StandardStreamTest, OutputListens) {
    start_at_a_pipe({"--stdout"});
    const auto user = join();
    user->send("for the pipe;");
    server_->process().wait_for_output("for the pipe;");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(server_->process().output().text(), "for the pipe;") << "no line of the log";
}

TEST_F(StandardStreamTest, OutputDoesNotGetWhatComesFromTheInput) {
    start_at_a_pipe({"--stdin", "--stdout"});
    const auto user = join();
    server_->process().type("from here;");
    user->wait_for("from here;");
    server_->process().end_input();
    user->send("from there;");
    server_->process().wait_for_output("from there;");
    kill_worker(0);
    user->send("and again;");
    server_->process().wait_for_output("and again;");
    EXPECT_EQ(server_->process().output().text(), "from there;and again;");
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
