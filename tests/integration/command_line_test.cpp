// Errors in the command lines of `chatserv stats`, `chatserv drain` and `chatserv chaos`.
#include "tests/harness/process.h"
#include "tests/harness/server.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

struct WrongCommand {
    std::vector<std::string> words;
    std::string said; // part of the answer
};

std::ostream& operator<<(std::ostream& out, const WrongCommand& command) {
    for (const std::string& word : command.words)
        out << testing::PrintToString(word) << " "; // bytes that are no text are escaped
    return out;
}

class WrongCommandTest : public testing::TestWithParam<WrongCommand> {};

TEST_P(WrongCommandTest, IsRejectedInOneLineThatNamesIt) {
    Loop loop;
    std::vector<std::string> words = GetParam().words;
    words.insert(words.begin(), chatserv_path());
    const Finished finished = run(loop, {words});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_EQ(finished.output, "");
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1)
        << finished.errors;
    EXPECT_LT(finished.errors.size(), 300U) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr(GetParam().said));
    EXPECT_THAT(finished.errors, HasSubstr("chatserv " + words[1] + " --help"));
}

const std::string pid_range = "must be a process id, a number from 1 to";

INSTANTIATE_TEST_SUITE_P(Each, WrongCommandTest,
    testing::Values(WrongCommand{{"stats", "--pid", "abc"}, "--pid \"abc\": " + pid_range},
        WrongCommand{{"stats", "--pid", "0"}, pid_range},
        WrongCommand{{"stats", "--pid", "-1"}, pid_range},
        WrongCommand{{"stats", "--pid", "+1"}, pid_range},
        WrongCommand{{"stats", "--pid", "1.5"}, pid_range},
        WrongCommand{{"stats", "--pid", "0x10"}, pid_range},
        WrongCommand{{"stats", "--pid", "99999999999999999999"}, pid_range},
        WrongCommand{{"stats", "--pid", "\xff"}, pid_range},
        WrongCommand{{"stats", "--pid", "123\n456"}, "given 2 process ids, 123, 456"},
        WrongCommand{{"stats", "--pid", "123\nabc"}, pid_range},
        WrongCommand{{"stats", "--pid", ""}, "names no process; leave --pid out"},
        WrongCommand{{"stats", "--pid="}, "names no process; leave --pid out"},
        WrongCommand{{"stats", "--pid"}, "--pid needs a value: a process id, a number from 1 to"},
        WrongCommand{{"stats", "--pid", "1", "--pid", "1"}, "--pid is given twice; give it once"},
        WrongCommand{{"stats", "--pid", "1", "--control", "x"}, "give only one of them"},
        WrongCommand{{"stats", "--control"},
            "--control needs a value: the path of a server's control socket"},
        WrongCommand{{"stats", "--control", ""},
            "--control \"\": must be the path of a server's control socket"},
        WrongCommand{{"stats", "--uesrs"}, "unknown option --uesrs: stats has --pid, --control"},
        WrongCommand{{"stats", "--uesrs=10"}, "unknown option --uesrs: stats has"},
        WrongCommand{{"stats", "-x"}, "unknown option -x: stats has"},
        WrongCommand{{"stats", "123"}, "unexpected word \"123\": stats has --pid, --control"},
        WrongCommand{{"stats", ""}, "unexpected word \"\""},
        WrongCommand{{"stats", "--rate", "1"}, "unknown option --rate: stats has"},
        WrongCommand{{"drain"}, "WORKER is missing: the number of a worker, from 1 to 64"},
        WrongCommand{{"drain", "--end"}, "WORKER is missing"},
        WrongCommand{{"drain", "two"}, "WORKER \"two\": must be the number of a worker"},
        WrongCommand{{"drain", "0"}, "WORKER \"0\": must be the number of a worker, from 1 to 64"},
        WrongCommand{{"drain", "65"}, "WORKER \"65\": must be the number of a worker"},
        WrongCommand{{"drain", ""}, "WORKER \"\": must be the number of a worker"},
        WrongCommand{{"drain", "1", "2"}, "unexpected word \"2\": drain has --end, --pid"},
        WrongCommand{{"drain", "1", "--end=2"}, "--end takes no value"},
        WrongCommand{{"drain", "1", "--rate", "2"}, "unknown option --rate: drain has --end"},
        WrongCommand{{"drain",
                         "\xe2\x80\x94"
                         "end",
                         "1"},
            "did you mean --end?"},
        WrongCommand{{"chaos", "--pid", "abc"}, pid_range},
        WrongCommand{
            {"chaos", "--frobnicate"}, "chaos has --rate, --for, --target, --mode, --seed, --pid"},
        WrongCommand{{"chaos", "--rtae", "2"}, "unknown option --rtae; did you mean --rate?"},
        WrongCommand{{"chaos", "--RATE=2"}, "unknown option --RATE; did you mean --rate?"},
        WrongCommand{{"chaos", "rate=2"}, "unexpected word \"rate=2\"; did you mean --rate?"},
        WrongCommand{{"stats", "--contorl", "x"}, "did you mean --control?"},
        WrongCommand{{"stats", "--vresion"}, "did you mean --version?"},
        WrongCommand{{"stats", "--help=all"}, "--help takes no value"},
        WrongCommand{
            {"stats", "\xe2\x80\x94pid", "1"}, "long dash: options begin with --; did you"},
        WrongCommand{{"chaos", "--rate", "--for", "3"}, "--rate needs a value: a number from 0.01"},
        WrongCommand{{"chaos", "--rate", "never"}, "must be a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--rate", "0"}, "must be a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--rate", "nan"}, "must be a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--rate", "1e2"}, "must be a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--rate", "-1"}, "must be a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--rate", "1001"}, "must be a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--rate", "."}, "must be a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--rate"}, "--rate needs a value: a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--rate="}, "--rate \"\": must be a number from 0.01 to 1000"},
        WrongCommand{{"chaos", "--for", "ever"}, "must be a number from 0 to 86400"},
        WrongCommand{{"chaos", "--for", "86401"}, "must be a number from 0 to 86400"},
        WrongCommand{{"chaos", "--for", "10s"}, "must be a number from 0 to 86400"},
        WrongCommand{{"chaos", "--mode", "burn"}, "must be one of kill, stop, mixed"},
        WrongCommand{{"chaos", "--mode", "Kill"}, "must be one of kill, stop, mixed"},
        WrongCommand{
            {"chaos", "--target", "all"}, "must be one of worker, master, keeper, bridge, any"},
        WrongCommand{{"chaos", "--target", "keeper", "--mode", "stop"},
            "--mode stop: cannot be used with --target keeper"},
        WrongCommand{{"chaos", "--seed", "-1"}, "--seed \"-1\": must be a number"},
        WrongCommand{{"chaos", "--seed", "x"}, "--seed \"x\": must be a number"},
        WrongCommand{{"chaos", "--seed", "18446744073709551616"}, "must be a number"},
        WrongCommand{
            {"chaos", "--seed", "1", "--seed", "2"}, "--seed is given twice; give it once"}));

class CommandHelpTest : public testing::TestWithParam<std::string> {};

TEST_P(CommandHelpTest, ListsTheOptions) {
    Loop loop;
    for (const char* option : {"--help", "-h"}) {
        const Finished finished = run(loop, {{chatserv_path(), GetParam(), option}});
        EXPECT_EQ(finished.status, 0);
        EXPECT_EQ(finished.errors, "");
        for (const char* named : {"--pid", "--control", "--help", "--version"})
            EXPECT_THAT(finished.output, HasSubstr(named));
    }
    for (const char* option : {"--version", "-V"}) {
        const Finished finished = run(loop, {{chatserv_path(), GetParam(), option}});
        EXPECT_EQ(finished.status, 0);
        EXPECT_THAT(finished.output, testing::StartsWith("chatserv "));
    }
}

INSTANTIATE_TEST_SUITE_P(Each, CommandHelpTest, testing::Values("stats", "drain", "chaos"));

} // namespace
} // namespace chatserv::test
