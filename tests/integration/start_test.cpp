// An error that prevents the start is reported in one line, with the fitting status of sysexits(3).
#include "tests/integration/server_test.h"

#include "tests/harness/temporary_directory.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

class StartTest : public ServerTest {
protected:
    static void expect_one_line_and_sysexit(const Finished& finished) {
        EXPECT_THAT(finished.status, AllOf(Ge(EX__BASE), Le(EX__MAX)));
        EXPECT_NE(finished.status, EX_USAGE) << "the options themselves are valid";
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1)
            << finished.errors;
    }

    void expect_to_listen(const Command& command) {
        Process server(loop_, command);
        loop_.wait_until(
            [&] {
                return server.exited() ||
                       server.errors().text().find("listening on ") != std::string::npos;
            },
            "the server to listen");
        EXPECT_FALSE(server.exited()) << server.errors().text();
        server.signal(SIGTERM);
        EXPECT_EQ(server.wait_for_exit(), 0);
    }
};

TEST_F(StartTest, ReportsAPortInUse) {
    start();
    const std::string taken = server_->endpoint().text();
    const Finished second = run(loop_, {{chatserv_path(), "--listen", taken}});
    expect_one_line_and_sysexit(second);
    EXPECT_THAT(second.errors, HasSubstr(taken));
}

TEST_F(StartTest, ReportsAnAddressOfAnotherMachine) {
    const Finished finished = run(loop_, {{chatserv_path(), "--listen", "192.0.2.1:9999"}});
    expect_one_line_and_sysexit(finished);
    EXPECT_THAT(finished.errors, HasSubstr("192.0.2.1:9999"));
}

TEST_F(StartTest, ReportsAMissingWorkerProgram) {
    const TemporaryDirectory directory;
    const auto alone = directory.path() / "chatserv";
    std::filesystem::copy_file(chatserv_path(), alone);
    const Finished finished = run(loop_, {{alone.string(), "--listen", "127.0.0.1:0"}});
    expect_one_line_and_sysexit(finished);
    EXPECT_THAT(finished.errors, HasSubstr("chatserv-worker"));
}

// chatserv raises the soft limit itself, and the hard limit if the system permits it.
TEST_F(StartTest, ReportsTooFewDescriptors) {
    const Command command{{"sh", "-c",
        R"(ulimit -n 100 && exec "$0" --listen 127.0.0.1:0 --users 1000)", chatserv_path()}};
    if (run(loop_, {{"sh", "-c", "ulimit -n 100 && ulimit -n 200"}}).status == 0) {
        expect_to_listen(command); // root, and not of a container
        return;
    }
    const Finished finished = run(loop_, command);
    expect_one_line_and_sysexit(finished);
    EXPECT_THAT(finished.errors, HasSubstr("descriptor"));
    EXPECT_THAT(finished.errors, HasSubstr("1000"));
}

TEST_F(StartTest, RaisesTheSoftLimitOfDescriptors) {
    const std::string script = R"(ulimit -S -n 40 && exec "$0" --listen 127.0.0.1:0 --users 100)";
    expect_to_listen({{"sh", "-c", script, chatserv_path()}});
}

TEST_F(StartTest, LogsItsLimitsFirst) {
    start({"--users", "7", "--workers", "2", "--spares", "1"});
    EXPECT_THAT(
        server_->log().front(), HasSubstr(" is starting: at most 7 users, 2 workers, 1 spare"));
}

// The command in the last line connects to the server, even if it listens on all addresses.
TEST_F(StartTest, LogsHowToJoin) {
    std::vector<std::pair<std::string, std::string>> cases{
        {"127.0.0.1:0", "127.0.0.1"}, {"0.0.0.0:0", "127.0.0.1"}};
    if (has_ipv6())
        cases.insert(cases.end(), {{"[::1]:0", "::1"}, {"[::]:0", "::1"}});
    for (const auto& [listen, host] : cases) {
        start_on({listen});
        const std::string port = std::to_string(server_->endpoint().port());
        EXPECT_THAT(server_->wait_for_line("try it from another terminal: "),
            HasSubstr(": nc " + host + " " + port + " (Ctrl-C leaves)"));
        EXPECT_EQ(server_->stop(), 0);
    }
}

TEST_F(StartTest, TakesTheUsersFromTheEnvironment) {
    Server server(loop_, {Program::chatserv, {"127.0.0.1:0"}, {}, {{"CHATSERV_USERS", "1"}}});
    Client first(loop_, server.endpoint());
    server.wait_for_join(first.address());
    Client second(loop_, server.endpoint());
    second.wait_for("too many users!\n");
}

TEST_F(StartTest, ReusesThePortOfAServerThatHasJustEnded) {
    start();
    const std::string address = server_->endpoint().text();
    const auto client = join();
    EXPECT_EQ(server_->stop(), 0); // its side of the connection is now in TIME_WAIT
    client->wait_for_end();
    client->close();
    start_on({address});
    EXPECT_EQ(server_->endpoint().text(), address);
}

} // namespace
} // namespace chatserv::test
