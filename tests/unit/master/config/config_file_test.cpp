// The configuration file: which lines are accepted, and which are rejected by line number.
#include "master/config/config_input.h"
#include "shared/system/fd.h"
#include "tests/unit/master/config/options_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

using ConfigFileTest = OptionsUnitTest;

TEST_F(ConfigFileTest, NamesTheVariableOfAMissingFile) {
    expect_refusal(refusal_of({}, {{"CHATSERV_CONFIG", "/nowhere/a.conf"}}), EX_NOINPUT,
        {"CHATSERV_CONFIG \"/nowhere/a.conf\"", "No such file"});
}

TEST_F(ConfigFileTest, ReadsFilesOfOtherEditors) {
    EXPECT_EQ(options_of_file("\xef\xbb\xbfusers = 12\n").users, 12U);
    EXPECT_EQ(options_of_file("\xef\xbb\xbfusers = 12\r\nworkers = 3\r\n").workers, 3U);
    EXPECT_EQ(options_of_file("\r\n\r\nusers = 12").users, 12U);
    EXPECT_EQ(options_of_file("\xef\xbb\xbf").users, 10U);
    EXPECT_EQ(options_of_file("").users, 10U);
}

TEST_F(ConfigFileTest, ReadsBlanksCommentsAndUnits) {
    const Options options = options_of_file("# a comment\n"
                                            "; another\n"
                                            "   # caf\xc3\xa9\n"
                                            "# latin-1: caf\xe9\n"
                                            "\n"
                                            "users=12\n"
                                            "  workers   =\t3   # behind a value\n"
                                            "spares = '2' ; the same\n"
                                            "log-size = \"64k\"\n"
                                            "control = /tmp/it's#here;now\n"
                                            "log-level = WARN\n"
                                            "listen = [::1]:1, 127.0.0.1:2\n"
                                            "listen = [ \"[::1]:3\", '127.0.0.1:4' , *:5 ] # more\n"
                                            "listen = [\n  [::1]:6, # six\n  7,\n]\n"
                                            "listen = [::]:8 ipv6only=on\n"
                                            "deny = 10.0.0.0/8 192.0.2.0/24\n"
                                            "deny = ::1\n");
    EXPECT_EQ(options.users, 12U);
    EXPECT_EQ(options.workers, 3U);
    EXPECT_EQ(options.spares, 2U);
    EXPECT_EQ(options.log_bytes, 65'536U);
    EXPECT_EQ(options.control, "/tmp/it's#here;now");
    EXPECT_EQ(options.log_level, "warning");
    EXPECT_THAT(
        texts_of(options.listen), ElementsAre("[::1]:1", "127.0.0.1:2", "[::1]:3", "127.0.0.1:4",
                                      "*:5", "[::1]:6", "7", "[::]:8 ipv6only=on"));
    EXPECT_THAT(texts_of(options.deny), ElementsAre("10.0.0.0/8", "192.0.2.0/24", "::1/128"));
}

TEST_F(ConfigFileTest, KeepsQuotedText) {
    const auto control = [&](const std::string& value) {
        return options_of_file("control = " + value + "\n").control;
    };
    EXPECT_EQ(control("\"/tmp/a # b\""), "/tmp/a # b");
    EXPECT_EQ(control("'/tmp/a \" b'"), "/tmp/a \" b");
    EXPECT_EQ(control(R"("/tmp/a\"b\\c\d")"), R"(/tmp/a"b\c\d)");
    EXPECT_EQ(control(R"('/tmp/a\')"), R"(/tmp/a\)");
    EXPECT_EQ(control("/tmp/two words"), "/tmp/two words");
    EXPECT_EQ(control("a=b"), "a=b");
}

// An error of the file itself: its text, and the rest of the message after the file's name.
struct BadFile {
    std::string content;
    Words said;
};

std::ostream& operator<<(std::ostream& out, const BadFile& bad) {
    return out << as_one_line(bad.content).substr(0, 60);
}

class BadFileTest : public testing::TestWithParam<BadFile> {
protected:
    test::TemporaryDirectory directory_;
};

TEST_P(BadFileTest, IsRejectedWithTheLine) {
    const std::string file = directory_.file("c.conf", GetParam().content);
    const Refusal refusal = refusal_of({"--config", file});
    expect_refusal(refusal, EX_CONFIG, GetParam().said);
    EXPECT_THAT(refusal.line, testing::StartsWith(file + ":"));
}

INSTANTIATE_TEST_SUITE_P(Each, BadFileTest,
    testing::Values(BadFile{"[server]\nusers = 3\n",
                        {":1: [server]: sections are not supported", "`name = value`"}},
        BadFile{"users = 3\n[[more]]\n", {":2: [[more]]: sections are not supported"}},
        BadFile{"[default]\n", {":1: [default]: sections are not supported"}},
        BadFile{"\n\nusers\n", {":3: \"users\": must be `name = value`"}},
        BadFile{"users 3\n", {":1: \"users 3\": must be `name = value`"}},
        BadFile{"users: 3\n", {":1: \"users: 3\": must be `name = value`"}},
        BadFile{"= 3\n", {":1: unknown option \"\""}},
        BadFile{"uesrs = 3\n", {":1: unknown option \"uesrs\"; did you mean users?"}},
        BadFile{"log_size = 1M\n", {":1: unknown option \"log_size\"; did you mean log-size?"}},
        BadFile{"--users = 3\n", {"unknown option \"--users\"; did you mean users?"}},
        BadFile{"CHATSERV_USERS=3\n", {"did you mean users?"}},
        BadFile{"export users=3\n", {":1: unknown option \"export users\""}},
        BadFile{"server.users = 3\n", {":1: unknown option \"server.users\""}},
        BadFile{"frobnicate = 1\n", {":1: unknown option \"frobnicate\"", "chatserv --help"}},
        BadFile{"config = other.conf\n", {":1: config can be given only on the command line"}},
        BadFile{"help = 1\n", {":1: help can be given only on the command line"}},
        BadFile{"users = 3\n# more\nusers = 4\n", {":3: users is set twice, first in line 1"}},
        BadFile{"users = 3\nusers = 3\n", {":2: users is set twice, first in line 1"}},
        BadFile{"users = 3\nuser = x\nusers = 3\n", {":3: users is set twice, first in line 1"}},
        BadFile{"users =\n", {":1: users \"\": must be a number from 1 to 100000"}},
        BadFile{"users = # none\n", {":1: users \"\": must be a number"}},
        BadFile{"control = \"\"\n", {":1: control \"\": must be a path"}},
        BadFile{"control =\n", {":1: control \"\": must be a path"}},
        BadFile{"user = ''\n", {":1: user \"\": must be the name"}},
        BadFile{"listen =\n", {":1: listen \"\": must be HOST:PORT"}},
        BadFile{"listen = []\n", {":1: listen \"\": must be HOST:PORT"}},
        BadFile{"users = 3, 4\n", {":1: users \"3, 4\": must be a number"}},
        BadFile{"users = [3]\n", {":1: users \"[3]\": must be a number"}},
        BadFile{"users = 3 4\n", {":1: users \"3 4\": must be a number"}},
        BadFile{"control = \"/tmp/a\n", {":1: control", "closed by the quote that opens it"}},
        BadFile{"control = \"/tmp/a\" b\n", {":1: control", "quoted as a whole"}},
        BadFile{"\nlisten = [\"1\", \"2\"\nusers = 3\n", {":2: ", "has no closing ]"}},
        BadFile{"listen = [ \"1\n", {":1: ", "has no closing ]"}},
        BadFile{"listen = 127.0.0.1:1\nlisten = ::1\n", {":2: listen \"::1\": must be HOST:PORT"}},
        BadFile{std::string("users = 3\nworkers\0 = 3\n", 24), {":2: there is a NUL byte"}},
        BadFile{std::string("# \0\n", 4), {":1: there is a NUL byte"}},
        BadFile{"users = 3\ncontrol = caf\xe9\n", {":2: \"control = caf?\"", "UTF-8"}},
        BadFile{"caf\xe9 = 3\n", {":1: \"caf? = 3\"", "UTF-8"}},
        BadFile{"users = 3\rworkers = 3\r", {":1: ", "without control characters"}},
        BadFile{"users = \x1b[31m3\n", {":1: ", "without control characters"}},
        BadFile{std::string("\xff\xfeu\0s\0", 6), {": is UTF-16 text; save it as UTF-8"}},
        BadFile{"\xfe\xff", {": is UTF-16 text; save it as UTF-8"}},
        BadFile{"\x7f"
                "ELF\x02\x01",
            {":1: "}},
        BadFile{std::string(1024 * 1024 + 1, '#'), {": is larger than 1 MiB"}}));

TEST_F(ConfigFileTest, RejectsWhatIsNoFile) {
    const std::string directory = directory_.path().string();
    expect_refusal(refusal_of({"--config", directory}), EX_NOINPUT,
        {"--config \"" + directory +
            "\": is a directory; must be the path of a configuration file"});
    expect_refusal(
        refusal_of({"--config", "/dev/zero"}), EX_NOINPUT, {"--config \"/dev/zero\": is a device"});
    expect_refusal(refusal_of({"--config", directory + "/none"}), EX_NOINPUT,
        {"/none\": cannot be read: No such file or directory"});
    expect_refusal(refusal_of({"--config", directory + "/a\nb"}), EX_NOINPUT, {"a?b"});
    EXPECT_EQ(options_of({"--config", "/dev/null"}).users, 10U);
}

TEST_F(ConfigFileTest, RejectsAnUnreadableFile) {
    const std::string closed = file("users = 3\n");
    ASSERT_EQ(::chmod(closed.c_str(), 0), 0);
    const uid_t user = ::geteuid();
    ASSERT_EQ(::seteuid(user == 0 ? 65534 : user), 0); // root may read everything
    const Refusal refusal = refusal_of({"--config", closed});
    ASSERT_EQ(::seteuid(user), 0);
    expect_refusal(refusal, EX_NOINPUT, {"cannot be read: Permission denied"});
}

// Without O_NONBLOCK, open(2) waits at such a FIFO.
TEST_F(ConfigFileTest, DoesNotWaitAtAFifoWithoutAWriter) {
    const std::string fifo = (directory_.path() / "fifo").string();
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    expect_refusal(refusal_of({"--config", fifo}), EX_NOINPUT,
        {"--config \"" + fifo + "\": nothing came through this pipe"});
}

TEST_F(ConfigFileTest, ReadsAFifo) {
    const std::string fifo = (directory_.path() / "fifo").string();
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int writer = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_NE(reader, -1);
    ASSERT_EQ(::write(writer, "users = 12\n", 11), 11);
    ::close(writer);
    EXPECT_EQ(options_of({"--config", fifo}).users, 12U);
    ::close(reader);
}

TEST(ConfigFileDeathTest, GivesUpOnASilentPipe) {
    const FdPair pipe = make_pipe();
    const std::string path = "/dev/fd/" + std::to_string(pipe.first.get());
    if (::access(path.c_str(), R_OK) != 0)
        GTEST_SKIP() << "this system has no " << path;
    ASSERT_EQ(::write(pipe.second.get(), "users = 12\n", 11), 11);
    Setting config;
    config.place.text = "--config";
    config.text = path;
    EXPECT_EXIT((void)config_input(config, {milliseconds(10), milliseconds(20)}),
        testing::ExitedWithCode(EX_NOINPUT),
        "^chatserv: still waiting for the other end of --config \"/dev/fd/[0-9]+\", for at most "
        "0.02 s\n.*took longer than 0.02 s: its writer must close it after the last line\n$");
}

} // namespace
} // namespace chatserv
