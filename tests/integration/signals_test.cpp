// Unexpected signals end no process. Signals that stop the server do so in an orderly way,
// whichever other processes receive them as well.
#include "tests/integration/stats_query.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

struct Named {
    int number;
    const char* name;
    bool logged; // the master logs that it ignores this one
};

class UnexpectedSignalTest : public StatsServerTest, public testing::WithParamInterface<Named> {};

const Named unexpected[] = {
    {SIGUSR1, "SIGUSR1", true},
    {SIGALRM, "SIGALRM", true},
    {SIGVTALRM, "SIGVTALRM", true},
    {SIGPROF, "SIGPROF", true},
    {SIGXCPU, "SIGXCPU", true},
    {SIGXFSZ, "SIGXFSZ", false},
    {SIGPIPE, "SIGPIPE", false},
    {SIGTTIN, "SIGTTIN", false},
    {SIGTTOU, "SIGTTOU", false},
    {SIGHUP, "SIGHUP", false},
#ifdef SIGIO
    {SIGIO, "SIGIO", true},
#endif
#ifdef SIGPWR
    {SIGPWR, "SIGPWR", true},
#endif
#ifdef SIGSTKFLT
    {SIGSTKFLT, "SIGSTKFLT", true},
#endif
};

INSTANTIATE_TEST_SUITE_P(Each, UnexpectedSignalTest, testing::ValuesIn(unexpected),
    [](const auto& signal) { return signal.param.name; });

TEST_P(UnexpectedSignalTest, TerminatesNoProcess) {
    start_with_control();
    const auto first = join();
    const auto second = join();
    const std::vector<pid_t> workers = server_->worker_pids();
    server_->process().signal(GetParam().number);
    for (const pid_t worker : workers)
        ::kill(worker, GetParam().number);
    first->send("still here");
    second->wait_for("still here");
    EXPECT_EQ(stats()["users"], 2);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(server_->worker_pids(), workers) << "none was replaced";
    EXPECT_EQ(
        server_->count(std::string(GetParam().name) + ": ignored"), GetParam().logged ? 1 : 0);
    EXPECT_FALSE(std::filesystem::exists(socket()));
}

class SignalTest : public StatsServerTest {
protected:
    // Starts the server through another program, with the log where the server's usually is.
    void start_through(std::vector<std::string> command) {
        command.insert(
            command.end(), {chatserv_path(), "--listen", "127.0.0.1:0", "--control", socket()});
        process_ = std::make_unique<Process>(loop_, Command{command});
        wait_for_log("listening on ");
        std::istringstream log(process_->errors().text());
        for (std::string line; std::getline(log, line);)
            if (const auto address = parse_listening(line))
                endpoint_ = Endpoint(*address);
    }

    void wait_for_log(const std::string& text) {
        loop_.wait_until(
            [&] {
                return process_->errors().text().find(text) != std::string::npos ||
                       process_->exited();
            },
            "'" + text + "' in the log");
        ASSERT_THAT(process_->errors().text(), HasSubstr(text));
    }

    void expect_a_conversation() {
        Client first(loop_, endpoint_);
        Client second(loop_, endpoint_);
        wait_for_log(" joined from " + first.address());
        wait_for_log(" joined from " + second.address());
        first.send("still here");
        second.wait_for("still here");
    }

    std::unique_ptr<Process> process_;
    Endpoint endpoint_;
};

#ifdef SIGRTMAX
TEST_F(SignalTest, RealTimeSignalsTerminateNoProcess) {
    start();
    const auto first = join();
    const auto second = join();
    const std::vector<pid_t> workers = server_->worker_pids();
    for (const int signal : {SIGRTMIN, SIGRTMIN + 3, SIGRTMAX}) {
        server_->process().signal(signal);
        for (const pid_t worker : workers)
            ::kill(worker, signal);
    }
    first->send("still here");
    second->wait_for("still here");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(server_->worker_pids(), workers);
}
#endif

class GroupSignalTest : public StatsServerTest, public testing::WithParamInterface<Named> {};

INSTANTIATE_TEST_SUITE_P(Each, GroupSignalTest,
    testing::Values(Named{SIGINT, "SIGINT", true}, Named{SIGQUIT, "SIGQUIT", true},
        Named{SIGTERM, "SIGTERM", true}),
    [](const auto& signal) { return signal.param.name; });

// As from a terminal's keyboard, or a service manager: to every process at once.
TEST_P(GroupSignalTest, StopsTheServerInAnOrderlyWay) {
    start_with_control();
    const auto clients = join_many(4);
    ::kill(-server_->process().pid(), GetParam().number);
    for (const auto& client : clients) {
        client->wait_for_end();
        EXPECT_EQ(client->end_error(), 0) << "end of file, no reset";
    }
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_EQ(server_->count(std::string(GetParam().name) + ": stopping"), 1U);
    EXPECT_EQ(server_->count(" died (pid "), 0U) << "the workers leave it to the master";
    EXPECT_EQ(server_->count(" left: server stopped"), 4U);
    EXPECT_FALSE(std::filesystem::exists(socket()));
}

// A shell without job control does that to background commands.
TEST_F(SignalTest, KeyboardSignalsStayIgnored) {
    start_through({"sh", "-c", R"(trap "" INT QUIT; exec "$0" "$@")"});
    process_->signal(SIGINT);
    process_->signal(SIGQUIT);
    expect_a_conversation();
    EXPECT_THAT(process_->errors().text(), testing::Not(HasSubstr("stopping")));
    process_->signal(SIGTERM);
    EXPECT_EQ(process_->wait_for_exit(), 0);
}

TEST_F(SignalTest, SignalsArriveThoughTheParentBlockedThemAll) {
    if (run(loop_, {{"env", "--block-signal", "true"}}).status != 0)
        GTEST_SKIP() << "env(1) cannot block signals here";
    start_through({"env", "--block-signal", "--ignore-signal=CHLD"});
    expect_a_conversation();
    process_->signal(SIGTERM);
    EXPECT_EQ(process_->wait_for_exit(), 0);
}

TEST_F(SignalTest, AFileSizeLimitThatPreventsTheStartIsReported) {
    const Finished finished =
        run(loop_, {{"sh", "-c", R"(ulimit -f 0; exec "$0" --listen 127.0.0.1:0 --control none)",
                       chatserv_path()}});
    EXPECT_EQ(finished.status, EX_OSERR);
    EXPECT_THAT(finished.errors, HasSubstr("chatserv: "));
    EXPECT_THAT(finished.errors, HasSubstr("File too large"));
}

// Commands that print something. The reader of their pipe may have closed it before.
class PrintingTest : public StatsServerTest {
protected:
    Finished print_to(const std::string& redirection, const std::vector<std::string>& command) {
        Command shell{{"sh", "-c", R"(exec "$0" "$@" )" + redirection, chatserv_path()}};
        shell.arguments.insert(shell.arguments.end(), command.begin(), command.end());
        return run(loop_, shell);
    }

    // A descriptor of a pipe without a reader; the shell's own `>&` takes one digit.
    std::string to_nobody() {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        ::close(ends[0]);
        EXPECT_LT(ends[1], 10);
        nobody_ = UniqueFd(ends[1]);
        return ">&" + std::to_string(ends[1]);
    }

    UniqueFd nobody_;
};

TEST_F(PrintingTest, PrintsNoErrorWhenTheReaderHasGone) {
    start_with_control();
    const std::string to = to_nobody();
    const std::vector<std::vector<std::string>> commands = {{"--help"}, {"--check-config"},
        {"stats", "--control", socket()}, {"chaos", "--control", socket(), "--for", "0"}};
    for (const std::vector<std::string>& command : commands) {
        const Finished finished = print_to(to, command);
        EXPECT_EQ(finished.status, EX_IOERR) << command[0];
        EXPECT_EQ(finished.errors, "") << command[0];
    }
}

TEST_F(PrintingTest, ReportsAFailedWrite) {
    if (!std::filesystem::exists("/dev/full"))
        GTEST_SKIP() << "this system has no /dev/full";
    start_with_control();
    const std::vector<std::vector<std::string>> commands = {{"--help"}, {"--version"},
        {"--check-config"}, {"stats", "--control", socket()},
        {"chaos", "--control", socket(), "--for", "0"}};
    for (const std::vector<std::string>& command : commands) {
        const Finished finished = print_to(">/dev/full", command);
        EXPECT_EQ(finished.status, EX_IOERR) << command[0];
        EXPECT_EQ(finished.errors.rfind("chatserv: standard output: ", 0), 0U) << command[0];
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1)
            << finished.errors;
    }
}

} // namespace
} // namespace chatserv::test
