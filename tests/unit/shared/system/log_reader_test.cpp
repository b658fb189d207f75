// Lines for the journal and for syslogd, and the socket of the latter.
#include "shared/system/log_reader.h"
#include "shared/system/log_sink.h"
#include "tests/harness/temporary_directory.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

struct Ends {
    UniqueFd reader;
    UniqueFd writer;

    explicit Ends(int type) {
        std::array<int, 2> fds{};
        EXPECT_EQ(::socketpair(AF_UNIX, type, 0, fds.data()), 0);
        reader = UniqueFd(fds[0]);
        writer = UniqueFd(fds[1]);
    }
};

// The next datagram; "" if there is none.
std::string heard(int fd) {
    std::array<char, 8192> text{};
    const ssize_t size = ::recv(fd, text.data(), text.size(), MSG_DONTWAIT);
    return {text.data(), size < 0 ? 0 : static_cast<size_t>(size)};
}

std::string notice(uint64_t dropped) {
    return "dropped " + std::to_string(dropped) + "\n";
}

TEST(LogReader, IsTheJournalIfTheVariableNamesThisVeryFile) {
    const Ends stream(SOCK_STREAM);
    const Ends other(SOCK_STREAM);
    struct stat status {};
    ASSERT_EQ(::fstat(stream.writer.get(), &status), 0);
    const std::string name = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    ::setenv("JOURNAL_STREAM", name.c_str(), 1);
    EXPECT_EQ(log_reader_of(stream.writer.get()), LogReader::journal);
    EXPECT_EQ(log_reader_of(other.writer.get()), LogReader::any) << "redirected since";
    ::setenv("JOURNAL_STREAM", (name + "0").c_str(), 1);
    EXPECT_EQ(log_reader_of(stream.writer.get()), LogReader::any);
    ::unsetenv("JOURNAL_STREAM");
    EXPECT_EQ(log_reader_of(stream.writer.get()), LogReader::any);
    EXPECT_EQ(log_reader_of(-1), LogReader::any);
}

TEST(LogReader, IsSyslogBehindADatagramSocket) {
    const Ends datagrams(SOCK_DGRAM);
    EXPECT_EQ(log_reader_of(datagrams.writer.get()), LogReader::syslog);
}

TEST(LogReader, WantsItsOwnBeginningOfALine) {
    EXPECT_EQ(line_head(LogReader::any, Severity::error), "");
    EXPECT_EQ(line_head(LogReader::journal, Severity::debug), "<7>");
    EXPECT_EQ(line_head(LogReader::journal, Severity::info), "<6>");
    EXPECT_EQ(line_head(LogReader::journal, Severity::warning), "<4>");
    EXPECT_EQ(line_head(LogReader::journal, Severity::error), "<3>");
    // Facility daemon is 3: 8 * 3 + 6.
    EXPECT_EQ(line_head(LogReader::syslog, Severity::info),
        "<30>chatserv[" + std::to_string(::getpid()) + "]: ");
}

TEST(LogSinkOfSyslog, SendsEachLineAsADatagram) {
    const Ends ends(SOCK_DGRAM);
    LogSink sink;
    sink.open(ends.writer.get());
    EXPECT_TRUE(sink.write("one\n", notice));
    EXPECT_TRUE(sink.write("two\n", notice));
    EXPECT_EQ(heard(ends.reader.get()), "one");
    EXPECT_EQ(heard(ends.reader.get()), "two");
}

std::vector<std::string> all_heard(int fd, LogSink& sink) {
    std::vector<std::string> all;
    size_t before = 0;
    do {
        before = all.size();
        for (std::string text = heard(fd); !text.empty(); text = heard(fd))
            all.push_back(std::move(text));
        sink.say_dropped(notice);
    } while (all.size() != before);
    return all;
}

// A socket may hold ten datagrams, and a start says more than that. The socket blocks, as one that
// other programs share may.
TEST(LogSinkOfSyslog, NeverWaitsAndKeepsSomeLinesUntilTheyAreTaken) {
    const Ends ends(SOCK_DGRAM);
    LogSink sink;
    sink.open(ends.writer.get());
    ::alarm(60); // ends the test if the sink waits, since nobody reads
    std::vector<std::string> expected;
    const auto line = [&] { return std::to_string(expected.size()) + std::string(500, 'x'); };
    while (sink.write(line() + "\n", notice))
        expected.push_back(line());
    EXPECT_GE(expected.size(), 65'536 / 512);
    EXPECT_FALSE(sink.write("short\n", notice)) << "nothing overtakes the line that is missing";
    ::alarm(0);
    expected.emplace_back("dropped 2");
    EXPECT_EQ(all_heard(ends.reader.get(), sink), expected);
    EXPECT_TRUE(sink.write("again\n", notice));
    EXPECT_EQ(heard(ends.reader.get()), "again");
}

// A syslogd that ends and starts anew at the same path.
class RestartedSyslogTest : public testing::Test {
protected:
    RestartedSyslogTest() {
        address_.sun_family = AF_UNIX;
        path_.copy(static_cast<char*>(address_.sun_path), sizeof address_.sun_path - 1);
        restart();
        EXPECT_EQ(connect(), 0);
        sink_.open(client_.get());
    }

    void restart() {
        syslogd_.reset();
        ::unlink(path_.c_str());
        syslogd_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM, 0));
        ASSERT_EQ(::bind(syslogd_.get(), reinterpret_cast<const sockaddr*>(&address_),
                      static_cast<socklen_t>(sizeof address_)),
            0);
    }
    int connect() {
        const int connected = ::connect(client_.get(), reinterpret_cast<const sockaddr*>(&address_),
            static_cast<socklen_t>(sizeof address_));
        return connected == 0 ? 0 : errno;
    }

    test::TemporaryDirectory folder_;
    const std::string path_ = folder_.path().string() + "/log";
    sockaddr_un address_{};
    UniqueFd syslogd_;
    UniqueFd client_{::socket(AF_UNIX, SOCK_DGRAM, 0)};
    LogSink sink_;
};

TEST_F(RestartedSyslogTest, IsConnectedToAgainWithoutALineLost) {
    sink_.connect_again_by([this] { return connect(); });
    EXPECT_TRUE(sink_.write("before\n", notice));
    restart();
    EXPECT_TRUE(sink_.write("after\n", notice));
    EXPECT_EQ(heard(syslogd_.get()), "after");
}

TEST_F(RestartedSyslogTest, IsReachedByAnotherProcessOfTheSameSocket) {
    restart();
    EXPECT_TRUE(sink_.write("waits\n", notice));
    EXPECT_EQ(heard(syslogd_.get()), "") << "a confined worker does not connect";
    EXPECT_EQ(connect(), 0); // the master does
    EXPECT_TRUE(sink_.write("after\n", notice));
    EXPECT_EQ(heard(syslogd_.get()), "waits");
    EXPECT_EQ(heard(syslogd_.get()), "after");
}

TEST_F(RestartedSyslogTest, GetsTheLinesOfTheTimeInWhichItWasGone) {
    sink_.connect_again_by([this] { return connect(); });
    syslogd_.reset();
    EXPECT_TRUE(sink_.write("waits\n", notice));
    restart();
    sink_.say_dropped(notice);
    EXPECT_EQ(heard(syslogd_.get()), "waits");
}

} // namespace
} // namespace chatserv
