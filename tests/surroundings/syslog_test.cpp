// The log goes to syslogd: a socket of the test in its place. No process waits for it, and it may
// be restarted.
#include "tests/harness/datagram_listener.h"
#include "tests/surroundings/surroundings_test.h"

#include <algorithm>
#include <csignal>
#include <gmock/gmock.h>
#include <regex>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class SyslogTest : public SurroundingsTest {
protected:
    void SetUp() override {
        if (const std::string why = why_not({"--syslog", syslogd_.path()}); !why.empty())
            GTEST_SKIP() << why;
    }

    void start(std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--log-file", "syslog", "--workers", "2"});
        process_ =
            std::make_unique<Process>(loop_, command_in({"--syslog", syslogd_.path()}, options));
        endpoint_ = Endpoint(*parse_listening(wait_for("listening on ")));
    }

    // Reads until there is a line with the text, which it returns.
    std::string wait_for(const std::string& text) {
        std::string found;
        EXPECT_TRUE(comes_true([&] {
            while (found.empty()) {
                const std::string line = syslogd_.hear().text;
                if (line.empty())
                    return false;
                lines_.push_back(line);
                found = line.find(text) == std::string::npos ? "" : line;
            }
            return true;
        })) << text
            << " in " << lines_.size() << " lines; " << process_->errors().text();
        return found;
    }

    std::unique_ptr<Client> join_and_hear_of_it() {
        auto client = std::make_unique<Client>(loop_, endpoint_);
        wait_for(" joined from " + client->address());
        return client;
    }

    void expect_end() {
        process_->signal(SIGTERM);
        EXPECT_EQ(process_->wait_for_exit(), 0);
        EXPECT_EQ(process_->errors().text(), "");
    }

    DatagramListener syslogd_;
    std::unique_ptr<Process> process_;
    Endpoint endpoint_;
    std::vector<std::string> lines_;
};

TEST_F(SyslogTest, GetsLinesWithFacilityPriorityAndSender) {
    start({"--log-level", "debug"});
    const auto client = join_and_hear_of_it();
    const auto worker = std::find_if(lines_.begin(), lines_.end(),
        [](const std::string& line) { return parse_worker_started(line).has_value(); });
    ASSERT_NE(worker, lines_.end());
    const pid_t pid = parse_worker_started(*worker)->pid;
    const std::regex form(R"(<(28|30|31)>chatserv\[\d+\]: [a-z]+ [a-z]+: [^\n]+)");
    for (const std::string& line : lines_)
        EXPECT_TRUE(std::regex_match(line, form)) << line;
    ::kill(pid, SIGBUS);
    EXPECT_THAT(wait_for("SIGBUS: another process sent it"),
        HasSubstr("<27>chatserv[" + std::to_string(pid) + "]: "));
    EXPECT_THAT(wait_for(" died (pid " + std::to_string(pid)), HasSubstr("<28>chatserv["));
    expect_end();
}

TEST_F(SyslogTest, GetsJsonWithTheTime) {
    start({"--log-format", "json"});
    EXPECT_TRUE(std::regex_match(
        lines_.back(), std::regex(R"(<30>chatserv\[\d+\]: \{"time":".*Z","level":"info",.*\})")))
        << lines_.back();
    expect_end();
}

TEST_F(SyslogTest, MayBeRestarted) {
    start();
    const auto first = join_and_hear_of_it();
    syslogd_.end();
    const auto second = std::make_unique<Client>(loop_, endpoint_);
    second->send("hello\n");
    first->wait_for("hello\n");
    syslogd_.begin();
    wait_for(" joined from " + second->address());
    expect_end();
}

// Its socket is full soon. Users come and go all the same, and what is missing is counted.
TEST_F(SyslogTest, IsNotWaitedFor) {
    start();
    for (int i = 0; i < 1000; ++i) {
        Client client(loop_, endpoint_);
        client.half_close();
        client.wait_for_end();
    }
    wait_for(" lines of the log were dropped");
    expect_end();
}

TEST_F(SyslogTest, MustBeThereAtTheStart) {
    const Finished finished =
        run(loop_, command_in({"--syslog", syslogd_.path() + "x"}, {"--log-file", "syslog"}));
    EXPECT_EQ(finished.status, EX_CANTCREAT);
    EXPECT_EQ(finished.errors,
        "chatserv: --log-file syslog: the system's log at /dev/log cannot be reached: No such file "
        "or directory; start syslogd, or choose a file\n");
}

} // namespace
} // namespace chatserv::test
