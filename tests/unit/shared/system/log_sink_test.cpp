// The log sink: it never waits, keeps lines whole, and counts what it drops.
#include "shared/system/fd.h"
#include "shared/system/log_sink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

std::string notice(uint64_t dropped) {
    return "dropped " + std::to_string(dropped) + "\n";
}

// The lines differ in length, so that a line never fits exactly into the room of another one.
std::string line_number(int number) {
    return "line " + std::to_string(number) + std::string(static_cast<size_t>(number % 67), '.') +
           "\n";
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    size_t begin = 0;
    for (size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        lines.push_back(text.substr(begin, end - begin));
        std::erase(lines.back(), '\r'); // a terminal's
    }
    if (begin < text.size())
        lines.push_back("(torn) " + text.substr(begin));
    return lines;
}

// Standard error as a server may have it: `written` is the server's end and blocks, as it does for
// other programs.
struct Ends {
    UniqueFd read;
    UniqueFd written;
    bool terminal = false;

    static Ends pipe() {
        std::array<int, 2> fds{};
        EXPECT_EQ(::pipe(fds.data()), 0);
        return {UniqueFd(fds[0]), UniqueFd(fds[1])};
    }
    static Ends socket() {
        std::array<int, 2> fds{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0);
        return {UniqueFd(fds[0]), UniqueFd(fds[1])};
    }
    static Ends stopped_terminal() {
        Ends ends{UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY)), UniqueFd(), true};
        EXPECT_EQ(::grantpt(ends.read.get()), 0);
        EXPECT_EQ(::unlockpt(ends.read.get()), 0);
        ends.written = UniqueFd(::open(::ptsname(ends.read.get()), O_RDWR | O_NOCTTY));
        EXPECT_EQ(::tcflow(ends.written.get(), TCOOFF), 0);
        return ends;
    }

    // All pending output, and the output that the terminal lets through from now on.
    std::string drain() {
        if (terminal) {
            EXPECT_EQ(::tcflow(written.get(), TCOON), 0);
        }
        std::string text;
        std::array<char, 65536> bytes{};
        for (pollfd asked{.fd = read.get(), .events = POLLIN, .revents = 0};
             ::poll(&asked, 1, 0) == 1;) {
            const ssize_t got = ::read(read.get(), bytes.data(), bytes.size());
            if (got <= 0)
                break;
            text.append(bytes.data(), static_cast<size_t>(got));
        }
        return text;
    }
};

struct Kind {
    const char* name;
    Ends (*make)();
    bool once_more; // whether the descriptor can be opened again
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) {
    return out << kind.name;
}

class LogSinkTest : public testing::TestWithParam<Kind> {
protected:
    // If the sink waits, the alarm ends the test, since no process reads.
    void SetUp() override {
        std::signal(SIGALRM, SIG_DFL);
        ::alarm(60);
        if (!GetParam().once_more)
            sink_ = LogSink(std::vector<std::string>());
        sink_.open(ends_.written.get());
    }
    void TearDown() override { ::alarm(0); }

    Ends ends_ = GetParam().make();
    LogSink sink_;
};

INSTANTIATE_TEST_SUITE_P(Each, LogSinkTest,
    testing::Values(Kind{"Pipe", Ends::pipe, true}, Kind{"PipeOpenedByOthers", Ends::pipe, false},
        Kind{"Socket", Ends::socket, true}, Kind{"StoppedTerminal", Ends::stopped_terminal, true},
        Kind{"StoppedTerminalOfOthers", Ends::stopped_terminal, false}),
    [](const auto& kind) { return kind.param.name; });

TEST_P(LogSinkTest, DropsUnreadLinesAndReportsTheirNumber) {
    const int flags = ::fcntl(ends_.written.get(), F_GETFL);
    int number = 0;
    uint64_t dropped = 0;
    std::vector<std::string> expected;
    for (int round = 0; round < 3; ++round) {
        const uint64_t enough = dropped + 50;
        while (dropped < enough) { // until it is full for a line of any length
            if (const std::string line = line_number(number++); sink_.write(line, notice))
                expected.push_back(line.substr(0, line.size() - 1));
            else
                ++dropped;
            ASSERT_LT(number, 1'000'000) << "it never fills up";
        }
    }
    EXPECT_EQ(::fcntl(ends_.written.get(), F_GETFL), flags) << "others share these";
    const uint64_t dropped_last = sink_.dropped();
    EXPECT_GE(dropped_last, 50U);
    std::string text = ends_.drain();
    EXPECT_TRUE(sink_.write("back again\n", notice));
    text += ends_.drain();

    const std::vector<std::string> lines = lines_of(text);
    ASSERT_GE(lines.size(), 2U);
    EXPECT_EQ(lines[lines.size() - 2], "dropped " + std::to_string(dropped_last));
    EXPECT_EQ(lines.back(), "back again");
    uint64_t said = 0;
    std::vector<std::string> kept;
    for (const std::string& line : lines)
        if (line.rfind("dropped ", 0) == 0)
            said += std::stoull(line.substr(8));
        else
            kept.push_back(line);
    EXPECT_EQ(said, dropped);
    expected.emplace_back("back again");
    EXPECT_EQ(kept, expected) << "a line is torn or lost without being counted";
    EXPECT_EQ(sink_.dropped(), 0U);
}

TEST_P(LogSinkTest, SurvivesTheEndOfItsReader) {
    if (ends_.terminal) {
        EXPECT_EQ(::tcflow(ends_.written.get(), TCOON), 0);
    }
    ends_.read.reset();
    EXPECT_FALSE(sink_.write("a line\n", notice));
    EXPECT_FALSE(sink_.write("a line\n", notice));
    EXPECT_EQ(sink_.dropped(), 2U);
}

TEST_P(LogSinkTest, ReportsDroppedLinesAtTheEnd) {
    for (int number = 0; sink_.dropped() < 70; ++number)
        sink_.write(line_number(number), notice);
    const uint64_t dropped = sink_.dropped();
    sink_.say_dropped(notice);
    EXPECT_EQ(sink_.dropped(), dropped) << "still full";
    std::string text = ends_.drain();
    sink_.say_dropped(notice);
    sink_.say_dropped(notice);
    text += ends_.drain();
    EXPECT_EQ(lines_of(text).back(), "dropped " + std::to_string(dropped));
    EXPECT_EQ(text.find("dropped " + std::to_string(dropped)), text.rfind("dropped "))
        << "it is said once";
}

TEST_P(LogSinkTest, TruncatesALineThatIsTooLong) {
    if (ends_.terminal) {
        EXPECT_EQ(::tcflow(ends_.written.get(), TCOON), 0);
    }
    EXPECT_TRUE(sink_.write(std::string(log_line_bytes_max + 1000, 'x') + "\n", notice));
    const std::vector<std::string> lines = lines_of(ends_.drain());
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0], std::string(log_line_bytes_max - 1, 'x'));
}

TEST(LogSink, TruncatesBetweenCharacters) {
    EXPECT_EQ(whole_characters("abc", 3), "abc");
    EXPECT_EQ(whole_characters("abcd", 3), "abc");
    EXPECT_EQ(whole_characters("abc\xc3\xa4", 4), "abc");
    EXPECT_EQ(whole_characters("abc\xc3\xa4", 5), "abc\xc3\xa4");
    EXPECT_EQ(whole_characters("a\xf0\x9f\x98\x80", 4), "a");
    EXPECT_EQ(whole_characters("\xf0\x9f\x98\x80", 3), "");
    EXPECT_EQ(whole_characters("\x80\x80\x80\x80\x80\x80\x80", 5).size(), 5U) << "no UTF-8";
}

TEST(LogSink, WorksWithoutADescriptor) {
    Ends ends = Ends::pipe();
    const int closed = ends.written.get();
    ends.written.reset();
    LogSink sink;
    sink.open(closed);
    EXPECT_FALSE(sink.write("a line\n", notice));
    EXPECT_EQ(sink.dropped(), 1U);
}

TEST(LogSink, CountsLinesThatADeviceRejects) {
    const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    if (!full)
        GTEST_SKIP() << "this system has no /dev/full";
    LogSink sink;
    sink.open(full.get());
    EXPECT_FALSE(sink.write("a line\n", notice));
    EXPECT_FALSE(sink.write("a line\n", notice));
    EXPECT_EQ(sink.dropped(), 2U);
}

TEST(LogSink, ContinuesInAnotherFile) {
    Ends first = Ends::pipe();
    Ends second = Ends::pipe();
    LogSink sink;
    sink.open(first.written.get());
    EXPECT_TRUE(sink.write("one\n", notice));
    set_nonblocking(second.written.get());
    sink.adopt(second.written.get());
    EXPECT_EQ(sink.own_descriptor(), -1) << "nothing holds on to the first";
    EXPECT_TRUE(sink.write("two\n", notice));
    EXPECT_EQ(first.drain(), "one\n");
    EXPECT_EQ(second.drain(), "two\n");
}

// In a child, whose limit is lowered. A file takes the beginning of a line up to the limit.
TEST(LogSink, FinishesAPartiallyWrittenLine) {
    std::string name = testing::TempDir() + "log-sink-XXXXXX";
    const UniqueFd file(::mkstemp(name.data()));
    ASSERT_TRUE(file);
    ::unlink(name.c_str());
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        LogSink sink;
        sink.open(file.get());
        rlimit limit{};
        ::getrlimit(RLIMIT_FSIZE, &limit);
        const rlim_t before = std::exchange(limit.rlim_cur, 7);
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const bool begun = sink.write("one line\n", notice);
        const bool refused = !sink.write("two lines\n", notice);
        limit.rlim_cur = before;
        ::setrlimit(RLIMIT_FSIZE, &limit);
        ::_exit(begun && refused && sink.write("three lines\n", notice) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    std::array<char, 100> bytes{};
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), 0);
    EXPECT_EQ(
        std::string(bytes.data(), static_cast<size_t>(got)), "one line\ndropped 1\nthree lines\n");
}

} // namespace
} // namespace chatserv
