// The log: text lines, JSON lines, and no content of users' messages.
#include "tests/integration/server_test.h"

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sysexits.h>
#include <utility>

namespace chatserv::test {
namespace {

class LogTest : public ServerTest {
protected:
    // A day in the life of a server, so that the log has lines of all kinds.
    void run_server_and_stop(std::vector<std::string> options) {
        options.insert(options.end(), {"--users", "2"});
        server_ = std::make_unique<Server>(
            loop_, ServerOptions{.more = std::move(options), .starter = starter_});
        {
            const auto first = join();
            const auto second = join();
            Client refused(loop_, server_->endpoint());
            refused.wait_for_end();
            first->send("the secret word is xyzzy\n");
            second->wait_for("xyzzy\n");
            first->half_close();
            server_->wait_for_line("user 0 left: end of file");
        }
        server_->wait_for_line("user 1 left: ");
        EXPECT_EQ(server_->stop(), 0);
    }

    std::vector<std::string> starter_{};
};

// Standard error is the journal, as the environment has it: systemd.exec(5).
class JournalTest : public LogTest {
protected:
    JournalTest() {
        starter_ = {"sh", "-c",
            "exec 3>&2; JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/3 2>/dev/null || "
            "stat -L -f %d:%i /dev/fd/3); export JOURNAL_STREAM; exec \"$0\" \"$@\" 3>&-"};
    }
};

TEST_F(JournalTest, GetsPrioritiesAndNoTime) {
    run_server_and_stop({"--log-level", "debug"});
    const std::regex format(R"((<[3467]>)([a-z]+) (keeper|master|worker): .+)");
    const std::map<std::string, std::string> priorities{
        {"debug", "<7>"}, {"info", "<6>"}, {"warning", "<4>"}, {"error", "<3>"}};
    for (const std::string& line : server_->log()) {
        std::smatch parts;
        ASSERT_TRUE(std::regex_match(line, parts, format)) << line;
        EXPECT_EQ(parts[1], priorities.at(parts[2])) << line;
    }
}

TEST_F(JournalTest, GetsTheLastLineOfAWorkerAsAnError) {
    server_ = std::make_unique<Server>(loop_, ServerOptions{.starter = starter_});
    ::kill(server_->worker_pids().at(0), SIGBUS);
    server_->wait_for_line("<3>chatserv: SIGBUS: another process sent it");
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(JournalTest, GetsWholeJsonBehindThePriority) {
    run_server_and_stop({"--log-format", "json"});
    for (const std::string& line : server_->log()) {
        ASSERT_TRUE(line.starts_with("<6>") || line.starts_with("<4>")) << line;
        const auto entry = nlohmann::json::parse(line.substr(3), nullptr, false);
        ASSERT_TRUE(entry.is_object()) << line;
        EXPECT_TRUE(entry.contains("time")) << line;
    }
}

TEST_F(JournalTest, GetsTheReasonOfAFailedStartAsAnError) {
    Command command{starter_};
    command.arguments.insert(command.arguments.end(), {chatserv_path(), "--users", "0"});
    const Finished finished = run(loop_, command);
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_EQ(finished.errors.rfind("<3>chatserv: --users \"0\"", 0), 0U) << finished.errors;
}

TEST_F(LogTest, NamesTimeLevelAndProcessInEveryLine) {
    run_server_and_stop({});
    const std::regex format(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z]+ [a-z]+( \d+)?: .+)");
    for (const std::string& line : server_->log())
        EXPECT_TRUE(std::regex_match(line, format)) << line;
}

TEST_F(LogTest, IsValidJsonWhenAskedFor) {
    run_server_and_stop({"--log-format", "json"});
    bool has_join = false;
    for (const std::string& line : server_->log()) {
        const auto entry = nlohmann::json::parse(line, nullptr, false);
        ASSERT_TRUE(entry.is_object()) << line;
        has_join = has_join || std::any_of(entry.begin(), entry.end(), [](const auto& value) {
            return value.is_string() &&
                   value.template get<std::string>().rfind("user 0 joined from 127.0.0.1:", 0) == 0;
        });
    }
    EXPECT_TRUE(has_join) << "the text of a line is one of the values";
}

TEST_F(LogTest, ContainsNoMessagesOfUsersAtAnyLevel) {
    run_server_and_stop({"--log-level", "debug"});
    EXPECT_EQ(server_->count("xyzzy"), 0U);
    EXPECT_EQ(server_->process().output().text(), "");
}

} // namespace
} // namespace chatserv::test
