// `chatserv events`: what happens, as lines of JSON; and who may ask at the control socket.
#include "tests/integration/control_connection.h"
#include "tests/integration/stats_query.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class EventsTest : public StatsServerTest {
protected:
    void watch(std::vector<std::string> words = {}) {
        if (words.empty())
            words = {chatserv_path(), "events", "--control", socket()};
        command_ = std::make_unique<Process>(loop_, Command{words});
        // It watches as soon as something that happens is printed.
        ASSERT_TRUE(comes_true([&] {
            const Client passer_by(loop_, server_->endpoint());
            server_->wait_for_join(passer_by.address());
            return !command_->output().text().empty();
        }));
    }
    void wait_for_event(const std::string& text) {
        loop_.wait_until(
            [&] { return command_->output().text().find(text) != std::string::npos; }, text);
    }

    std::unique_ptr<Process> command_;
};

TEST_F(EventsTest, PrintsWhatHappens) {
    start_with_control({"--users", "100"});
    watch();
    const auto user = join();
    wait_for_event(user->address());
    const std::string& output = command_->output().text();
    const size_t begin = output.rfind('\n', output.find(user->address())) + 1;
    const json said = json::parse(output.substr(begin, output.find('\n', begin) - begin));
    EXPECT_EQ(said["event"], "joined");
    EXPECT_EQ(said["address"], user->address());
    EXPECT_EQ(said["process"], "master");
    ::kill(server_->worker_pids().front(), SIGKILL);
    wait_for_event(R"("event":"taken_over")");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(command_->wait_for_exit(), EX_UNAVAILABLE);
    EXPECT_THAT(command_->output().text(), HasSubstr(R"("event":"stopping")"));
}

TEST_F(EventsTest, GoesOnWithTheNextMaster) {
    start_with_control({"--users", "100"});
    if (server_->master_pid() == server_->keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    watch();
    ::kill(server_->master_pid(), SIGKILL);
    wait_for_event(R"("event":"reconnected")");
    const auto user = join();
    wait_for_event(user->address());
}

TEST_F(EventsTest, EndsWhenItsReaderGoes) {
    start_with_control({"--users", "100"});
    watch({"sh", "-c", chatserv_path() + " events --control " + socket() + " | head -n 1"});
    EXPECT_EQ(command_->wait_for_exit(), 0);
}

// Somebody has opened the socket to everyone.
TEST_F(EventsTest, OnlyTheServersUserAndRootMayAsk) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "only root can become another user";
    if (!is_installed("setpriv"))
        GTEST_SKIP() << "setpriv(1) is not installed";
    start_with_control();
    ASSERT_EQ(::chmod(socket().c_str(), 0777), 0);
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
    const Finished finished = run(loop_, {{"setpriv", "--reuid=65534", "--clear-groups",
                                             chatserv_path(), "stats", "--control", socket()}});
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(finished.errors, HasSubstr("only the server's user and root may ask"));
    server_->wait_for_line("a process of user 65534 was refused at the control socket");
    EXPECT_EQ(stats()["users"], 0) << "root may ask";
}

} // namespace
} // namespace chatserv::test
