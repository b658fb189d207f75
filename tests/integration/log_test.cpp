// The log: text lines, JSON lines, and no content of users' messages.
#include "tests/integration/server_test.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>

namespace chatserv::test {
namespace {

class LogTest : public ServerTest {
protected:
    // A day in the life of a server, so that the log has lines of all kinds.
    void run_server_and_stop(std::vector<std::string> options) {
        options.insert(options.end(), {"--users", "2"});
        start(options);
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
};

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
