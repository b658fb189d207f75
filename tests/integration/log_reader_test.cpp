// The reader of the log may stop reading or end. No process of the server ever waits for the log,
// and the log reports how many lines are missing.
#include "tests/integration/server_test.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <sstream>
#include <sys/socket.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

// Reads the server's standard error while it is told to.
class LogReader final : public Loop::Source {
public:
    LogReader(Loop& loop, UniqueFd fd) : Source(loop), fd_(std::move(fd)) {
        set_nonblocking(fd_.get());
    }

    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::istringstream all(text_);
        std::vector<std::string> lines;
        for (std::string line; std::getline(all, line);) {
            std::erase(line, '\r'); // a terminal's
            lines.push_back(line);
        }
        return lines;
    }
    void pause(bool paused) { paused_ = paused; }
    void go() { fd_.reset(); }
    [[nodiscard]] bool ended() const { return !fd_; }

    [[nodiscard]] pollfd interest() const override { return {paused_ ? -1 : fd_.get(), POLLIN, 0}; }
    void ready(short /*events*/) override {
        std::array<char, 65536> bytes; // NOLINT: filled by read(2)
        const ssize_t got = ::read(fd_.get(), bytes.data(), bytes.size());
        if (got > 0)
            text_.append(bytes.data(), static_cast<std::size_t>(got));
        else if (got == 0 || errno != EAGAIN)
            fd_.reset();
    }

private:
    UniqueFd fd_;
    std::string text_;
    bool paused_ = false;
};

// The two ends of the server's standard error; the test reads ours.
struct Ends {
    UniqueFd ours;
    UniqueFd servers;
};

Ends make_pipe_ends() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe(fds.data()), 0);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Ends make_socket_ends() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Ends make_terminal() {
    UniqueFd ours(::posix_openpt(O_RDWR | O_NOCTTY));
    EXPECT_TRUE(::grantpt(ours.get()) == 0 && ::unlockpt(ours.get()) == 0);
    UniqueFd servers(::open(::ptsname(ours.get()), O_RDWR | O_NOCTTY));
    return {std::move(ours), std::move(servers)};
}

class LogReaderTest : public ServerTest {
protected:
    static constexpr std::size_t passers_by = 1500;

    // The server's log goes to `ends`, of which the test keeps both.
    void start_with_log(Ends ends, const std::vector<std::string>& options = {}) {
        set_close_on_exec(ends.ours.get(), true);
        servers_end_ = std::move(ends.servers);
        reader_ = std::make_unique<LogReader>(loop_, std::move(ends.ours));
        // A shell's redirection takes one digit only.
        const UniqueFd inherited(::fcntl(servers_end_.get(), F_DUPFD, 3));
        set_close_on_exec(servers_end_.get(), true);
        ASSERT_LT(inherited.get(), 10);
        const std::string digit = std::to_string(inherited.get());
        Command command{{"sh", "-c", "exec \"$0\" \"$@\" 2>&" + digit + " " + digit + ">&-",
            chatserv_path(), "--listen", "127.0.0.1:0", "--users", "4", "--control", "none"}};
        command.arguments.insert(command.arguments.end(), options.begin(), options.end());
        process_ = std::make_unique<Process>(loop_, command);
    }

    void wait_for_log(const std::string& text) {
        loop_.wait_until(
            [&] { return reader_->text().find(text) != std::string::npos || process_->exited(); },
            "'" + text + "' in the log");
    }

    void wait_until_it_listens() {
        wait_for_log("listening on ");
        for (const std::string& line : reader_->lines()) {
            if (const auto address = parse_listening(line))
                endpoint_ = Endpoint(*address);
            if (const auto started = parse_worker_started(line))
                workers_.push_back(started->pid);
        }
        ASSERT_EQ(workers_.size(), 2U);
    }

    // Clients join and leave one after another: two lines of the log each.
    void have_people_pass_by() {
        for (std::size_t i = 0; i < passers_by; ++i) {
            Client client(loop_, endpoint_);
            client.half_close();
            client.wait_for_end();
        }
    }

    // Two clients that stay.
    void let_two_in() {
        for (auto& client : talkers_)
            client = std::make_unique<Client>(loop_, endpoint_);
        talk("here we are;");
    }

    // Both clients receive each other's text once both are served, so one sends until the other has
    // received.
    void talk(const std::string& text) {
        const auto heard = [&] { return talkers_[1]->received().find(text) != std::string::npos; };
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!heard()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "they are not served";
            talkers_[0]->send(text);
            loop_.turn(std::chrono::milliseconds(20));
        }
    }

    UniqueFd servers_end_;
    std::unique_ptr<LogReader> reader_;
    std::unique_ptr<Process> process_;
    Endpoint endpoint_;
    std::vector<pid_t> workers_;
    std::array<std::unique_ptr<Client>, 2> talkers_;
};

struct Kind {
    const char* name;
    Ends (*make)();
    bool stop_terminal;
};

class StalledLogReaderTest : public LogReaderTest, public testing::WithParamInterface<Kind> {
protected:
    void stop_reading() {
        reader_->pause(true);
        if (GetParam().stop_terminal) {
            ASSERT_EQ(::tcflow(servers_end_.get(), TCOOFF), 0);
        }
    }
    void read_on() {
        if (GetParam().stop_terminal) {
            ASSERT_EQ(::tcflow(servers_end_.get(), TCOON), 0);
        }
        reader_->pause(false);
    }
};

INSTANTIATE_TEST_SUITE_P(Each, StalledLogReaderTest,
    testing::Values(Kind{"Pipe", make_pipe_ends, false}, Kind{"Socket", make_socket_ends, false},
        Kind{"Terminal", make_terminal, false}, Kind{"StoppedTerminal", make_terminal, true}),
    [](const auto& kind) { return kind.param.name; });

TEST_P(StalledLogReaderTest, DelaysNoClient) {
    start_with_log(GetParam().make());
    wait_until_it_listens();
    stop_reading();
    have_people_pass_by();
    let_two_in();
    for (const pid_t worker : workers_)
        ::kill(worker, SIGKILL);
    talk("served by others;");
    process_->signal(SIGUSR1);
    have_people_pass_by();
    talk("still there;");

    read_on();
    // The server notices that the log is read again when it writes its next line.
    while (reader_->text().find(" dropped: ") == std::string::npos) {
        Client visitor(loop_, endpoint_);
        visitor.half_close();
        visitor.wait_for_end();
        loop_.turn(std::chrono::milliseconds(20));
    }
    talkers_[0]->half_close();
    talkers_[0]->wait_for_end();
    talkers_[1]->half_close();
    talkers_[1]->wait_for_end();
    process_->signal(SIGTERM);
    EXPECT_EQ(process_->wait_for_exit(), 0);
    servers_end_.reset();
    loop_.wait_until([&] { return reader_->ended(); }, "the end of the log");
    EXPECT_THAT(reader_->text(), HasSubstr("SIGTERM: stopping"));

    std::size_t dropped = 0;
    std::size_t came_and_went = 0;
    const std::regex format(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z]+ [a-z]+: (.+))");
    const std::regex missing(R"(.* warning master: (\d+) lines of the log were dropped: .*)");
    for (const std::string& line : reader_->lines()) {
        EXPECT_TRUE(std::regex_match(line, format)) << "torn: " << line;
        if (std::smatch match; std::regex_match(line, match, missing))
            dropped += std::stoul(match[1]);
        if (parse_joined(line) || parse_left(line))
            ++came_and_went;
    }
    EXPECT_GT(dropped, 0U);
    EXPECT_GE(dropped + came_and_went, 4 * passers_by) << "all others are counted";
}

TEST_P(StalledLogReaderTest, DoesNotPreventTheStop) {
    start_with_log(GetParam().make());
    wait_until_it_listens();
    stop_reading();
    have_people_pass_by();
    process_->signal(SIGTERM);
    EXPECT_EQ(process_->wait_for_exit(), 0);
    EXPECT_TRUE(process_->group_is_gone());
}

TEST_P(StalledLogReaderTest, MayCloseThePipe) {
    start_with_log(GetParam().make());
    wait_until_it_listens();
    servers_end_.reset();
    reader_->go();
    let_two_in();
    ::kill(workers_[0], SIGKILL);
    talk("served by another;");
    process_->signal(SIGTERM);
    EXPECT_EQ(process_->wait_for_exit(), 0);
}

// A server that cannot continue does not wait to write its last line, either.
TEST_P(StalledLogReaderTest, DoesNotDelayTheEndOfAServerThatCannotStart) {
    start_with_log(GetParam().make());
    wait_until_it_listens();
    stop_reading();
    have_people_pass_by();
    const UniqueFd inherited(::fcntl(servers_end_.get(), F_DUPFD, 3));
    ASSERT_LT(inherited.get(), 10);
    const Finished finished = run(loop_,
        {{"sh", "-c",
            R"(exec "$0" --control none --listen "$1" 2>&)" + std::to_string(inherited.get()),
            chatserv_path(), endpoint_.text()}});
    EXPECT_EQ(finished.status, EX_UNAVAILABLE) << "the port is in use";
}

} // namespace
} // namespace chatserv::test
