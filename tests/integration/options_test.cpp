// The command line, the environment and the configuration file.
#include "tests/harness/process.h"
#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class OptionsTest : public testing::Test {
protected:
    Finished run_chatserv(std::vector<std::string> options,
        const std::vector<std::pair<std::string, std::string>>& environment = {}) {
        options.insert(options.begin(), chatserv_path());
        return run(loop_, {options, environment});
    }

    // The number of users that --check-config prints; empty if it prints none.
    std::string users_in_force(std::vector<std::string> options,
        const std::vector<std::pair<std::string, std::string>>& environment = {}) {
        options.emplace_back("--check-config");
        const Finished finished = run_chatserv(options, environment);
        EXPECT_EQ(finished.status, 0) << finished.errors;
        std::smatch users;
        const bool found =
            std::regex_search(finished.output, users, std::regex(R"(users\s*=\s*"?(\d+))"));
        return found ? users.str(1) : "";
    }

    Loop loop_;
    const TemporaryDirectory directory_;
};

void expect_one_line(const std::string& text) {
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
}

struct BadOption {
    std::string name;
    std::string value;
};

std::ostream& operator<<(std::ostream& out, const BadOption& option) {
    return out << option.name << " " << option.value;
}

class BadOptionTest : public OptionsTest, public testing::WithParamInterface<BadOption> {};

TEST_P(BadOptionTest, IsRejectedInOneLineThatNamesIt) {
    const auto& [name, value] = GetParam();
    const Finished finished = run_chatserv({name + "=" + value});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_EQ(finished.output, "");
    expect_one_line(finished.errors);
    EXPECT_THAT(finished.errors, HasSubstr(name));
    EXPECT_THAT(finished.errors, HasSubstr(value));
}

TEST_P(BadOptionTest, IsRejectedInTheEnvironment) {
    const auto& [name, value] = GetParam();
    std::string variable = "CHATSERV_" + name.substr(2);
    std::replace(variable.begin(), variable.end(), '-', '_');
    std::transform(variable.begin(), variable.end(), variable.begin(),
        [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
    const Finished finished = run_chatserv({}, {{variable, value}});
    EXPECT_EQ(finished.status, EX_USAGE);
    expect_one_line(finished.errors);
    EXPECT_THAT(finished.errors, HasSubstr(value));
}

INSTANTIATE_TEST_SUITE_P(Each, BadOptionTest,
    testing::Values(BadOption{"--users", "0"}, BadOption{"--users", "100001"},
        BadOption{"--users", "ten"}, BadOption{"--users", "-1"}, BadOption{"--users", "7x"},
        BadOption{"--workers", "0"}, BadOption{"--workers", "99999999"},
        BadOption{"--spares", "-1"}, BadOption{"--log-size", "63K"}, BadOption{"--log-size", "1Q"},
        BadOption{"--log-size", "99999999999999999999G"}, BadOption{"--stall-limit", "-1"},
        BadOption{"--min-drain", "0"}, BadOption{"--min-drain", "2G"},
        BadOption{"--slow-policy", "later"}, BadOption{"--stall-limit", "soon"},
        BadOption{"--stall-limit", "nan"}, BadOption{"--hang-limit", "0"},
        BadOption{"--hang-limit", "never"}, BadOption{"--control", "/tmp/" + std::string(200, 'x')},
        BadOption{"--listen", "nowhere"}, BadOption{"--listen", "127.0.0.1"},
        BadOption{"--listen", "127.0.0.1:65536"}, BadOption{"--listen", "::1:9999"},
        BadOption{"--listen", "[::1:9999"}, BadOption{"--max-per-address", "-1"},
        BadOption{"--max-per-address", "few"}, BadOption{"--allow", "10.0.0.0/33"},
        BadOption{"--allow", "10.1.2.3/8"}, BadOption{"--deny", "somebody"},
        BadOption{"--deny", "::1%lo"}, BadOption{"--keepalive", "-1"},
        BadOption{"--keepalive", "7201"}, BadOption{"--max-rate", "-1"},
        BadOption{"--max-rate", "2G"}, BadOption{"--max-rate", "fast"},
        BadOption{"--idle-timeout", "-1"}, BadOption{"--idle-timeout", "0.05"},
        BadOption{"--idle-timeout", "604801"}, BadOption{"--idle-timeout", "never"},
        BadOption{"--idle-timeout", "1e3"}, BadOption{"--log-level", "loud"},
        BadOption{"--log-format", "xml"}, BadOption{"--framing", "words"},
        BadOption{"--line-max", "15"}, BadOption{"--line-end", "crlf"},
        BadOption{"--prefix", "nick"}, BadOption{"--user", "no such user"}));

TEST_F(OptionsTest, RejectsAnUnknownOption) {
    const Finished finished = run_chatserv({"--frobnicate"});
    EXPECT_EQ(finished.status, EX_USAGE);
    expect_one_line(finished.errors);
    EXPECT_THAT(finished.errors, HasSubstr("--frobnicate"));
}

TEST_F(OptionsTest, PrintsOneLineForABadValueOfSeveralLines) {
    const Finished finished = run_chatserv({"--users=7\nor\x1b[7m8"});
    EXPECT_EQ(finished.status, EX_USAGE);
    expect_one_line(finished.errors);
    EXPECT_THAT(finished.errors, HasSubstr("7?or?[7m8"));
}

TEST_F(OptionsTest, RejectsAnOptionWithoutItsValue) {
    const Finished finished = run_chatserv({"--users"});
    EXPECT_EQ(finished.status, EX_USAGE);
    expect_one_line(finished.errors);
    EXPECT_THAT(finished.errors, HasSubstr("--users"));
}

TEST_F(OptionsTest, RejectsABadOptionWhenOnlyChecking) {
    EXPECT_EQ(run_chatserv({"--check-config", "--users", "0"}).status, EX_USAGE);
}

TEST_F(OptionsTest, PrintsItsVersion) {
    const Finished finished = run_chatserv({"--version"});
    EXPECT_EQ(finished.status, 0);
    EXPECT_TRUE(std::regex_search(finished.output, std::regex(R"(chatserv \d+\.\d+)")))
        << finished.output;
    EXPECT_EQ(finished.errors, "");
}

TEST_F(OptionsTest, ListsEveryOptionInTheHelp) {
    const Finished finished = run_chatserv({"--help"});
    EXPECT_EQ(finished.status, 0);
    for (const char* option :
        {"--listen", "--users", "--workers", "--spares", "--log-size", "--stall-limit",
            "--hang-limit", "--control", "--log-level", "--log-format", "--max-per-address",
            "--allow", "--deny", "--keepalive", "--max-rate", "--idle-timeout", "--framing",
            "--line-max", "--line-end", "--prefix", "--user", "--config", "--check-config",
            "--version", "--help", "chatserv chaos", "chatserv drain", "chatserv stats"})
        EXPECT_THAT(finished.output, HasSubstr(option));
}

TEST_F(OptionsTest, PrefersFlagsToEnvironmentAndEnvironmentToFile) {
    const std::string file = directory_.file("chatserv.conf", "users = 3\nworkers = 2\n");
    const std::vector<std::pair<std::string, std::string>> environment{{"CHATSERV_USERS", "4"}};
    EXPECT_EQ(users_in_force({}), "10");
    EXPECT_EQ(users_in_force({"--config", file}), "3");
    EXPECT_EQ(users_in_force({"--config", file}, environment), "4");
    EXPECT_EQ(users_in_force({"--config", file, "--users", "5"}, environment), "5");
    EXPECT_EQ(users_in_force({"--users", "5"}, environment), "5");
    EXPECT_EQ(users_in_force({}, environment), "4");
    EXPECT_EQ(users_in_force({}, {{"CHATSERV_CONFIG", file}}), "3");
}

TEST_F(OptionsTest, ChecksTheOptionsWithoutStarting) {
    const Finished finished = run_chatserv({"--check-config", "--users", "7"});
    EXPECT_EQ(finished.status, 0);
    EXPECT_THAT(finished.errors, testing::Not(HasSubstr("listening")));
}

TEST_F(OptionsTest, ReadsTheOptionsThatCheckConfigPrints) {
    const std::vector<std::string> options{"--check-config", "--listen", "[::1]:7", "--users", "7",
        "--hang-limit", "0.5", "--stall-limit", "2.5", "--max-per-address", "3", "--keepalive", "0",
        "--max-rate", "9K", "--idle-timeout", "90.5", "--framing", "line", "--line-max", "2K",
        "--line-end", "lf", "--prefix", "name", "--allow", "10.0.0.0/8,::1", "--deny",
        "10.9.0.0/16"};
    const std::string in_force = run_chatserv(options).output;
    const std::string file = directory_.file("chatserv.conf", in_force);
    EXPECT_EQ(run_chatserv({"--check-config", "--config", file}).output, in_force);
}

TEST_F(OptionsTest, RejectsAMissingFile) {
    const std::string file = (directory_.path() / "missing.conf").string();
    const Finished finished = run_chatserv({"--config", file});
    EXPECT_EQ(finished.status, EX_NOINPUT);
    expect_one_line(finished.errors);
    EXPECT_THAT(finished.errors, HasSubstr(file));
}

TEST_F(OptionsTest, RejectsAFileWithAnUnknownName) {
    const std::string file = directory_.file("chatserv.conf", "frobnicate = 1\n");
    const Finished finished = run_chatserv({"--config", file, "--check-config"});
    EXPECT_EQ(finished.status, EX_CONFIG);
    expect_one_line(finished.errors);
    EXPECT_THAT(finished.errors, HasSubstr("frobnicate"));
}

TEST_F(OptionsTest, RejectsAFileWithABadValue) {
    const std::string file = directory_.file("chatserv.conf", "workers = 2\nusers = 0\n");
    const Finished finished = run_chatserv({"--config", file, "--check-config"});
    EXPECT_EQ(finished.status, EX_CONFIG);
    EXPECT_EQ(finished.errors,
        "chatserv: " + file + ":2: users \"0\": must be a number from 1 to 100000\n");
}

// The whole of each refusal, from the program itself. tests/unit/ has many more.
TEST_F(OptionsTest, NamesThePlaceOfAnErrorAndTheRightSpelling) {
    struct Case {
        std::vector<std::string> options;
        int status;
        std::string line;
    };
    const std::string directory = directory_.path().string();
    const std::string section = directory_.file("section.conf", "[server]\nusers = 3\n");
    const std::string twice = directory_.file("twice.conf", "users = 3\n\nusers = 4\n");
    const std::string commands = "the commands are chaos, drain, events, kick, reload, stats, "
                                 "status, top, upgrade, users, version "
                                 "and help";
    const Case cases[] = {
        {{"--uesrs", "10"}, EX_USAGE,
            "unknown option --uesrs; did you mean --users? (see chatserv --help)"},
        {{"foo"}, EX_USAGE,
            "unknown command \"foo\": " + commands +
                ", and options begin with -- (see chatserv --help)"},
        {{"help", "foo"}, EX_USAGE,
            "help \"foo\": must be one command: chaos, drain, events, kick, reload, stats, status, "
            "top, "
            "upgrade, users, version and help"},
        {{"version", "2"}, EX_USAGE, "version \"2\": must stand alone"},
        {{"--users", "1", "--users", "2"}, EX_USAGE,
            "--users is given twice; give it once (see chatserv --help)"},
        {{"--user", ""}, EX_USAGE,
            "--user \"\": must be the name or number of a user on this system"},
        {{"--control="}, EX_USAGE, "--control \"\": must be a path of at most 103 bytes, or none"},
        {{"--config", ""}, EX_USAGE, "--config \"\": must be the path of a configuration file"},
        {{"--config", directory}, EX_NOINPUT,
            "--config \"" + directory +
                "\": is a directory; must be the path of a configuration file"},
        {{"--config", section}, EX_CONFIG,
            section + ":1: [server]: sections are not supported; write only `name = value` lines"},
        {{"--config", twice}, EX_CONFIG,
            twice + ":3: users is set twice, first in line 1; set it once"},
        {{"--log-size", "64T"}, EX_USAGE,
            "--log-size \"64T\": must be a number of bytes from 64K to 64G, with or without K, M "
            "or G"},
        {{"--listen=1,127.0.0.1:1", "--check-config"}, EX_USAGE,
            "--listen \"127.0.0.1:1\": must be another address or port: --listen \"1\" already "
            "listens there"},
        {{"--users", "\xff\n"}, EX_USAGE, "--users \"??\": must be a number from 1 to 100000"},
    };
    for (const Case& each : cases) {
        const Finished finished = run_chatserv(each.options);
        EXPECT_EQ(finished.errors, "chatserv: " + each.line + "\n");
        EXPECT_EQ(finished.status, each.status) << each.line;
        EXPECT_EQ(finished.output, "");
    }
}

TEST_F(OptionsTest, NamesTheVariableWhoseValueIsBad) {
    const Finished finished = run_chatserv({}, {{"CHATSERV_LOG_SIZE", "64T"}});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_EQ(finished.errors,
        "chatserv: CHATSERV_LOG_SIZE \"64T\": must be a number of bytes from 64K to 64G, "
        "with or without K, M or G\n");
}

TEST_F(OptionsTest, HasHelpAndVersionCommands) {
    const std::string help = run_chatserv({"--help"}).output;
    EXPECT_EQ(run_chatserv({"help"}).output, help);
    EXPECT_EQ(run_chatserv({"-h"}).output, help);
    EXPECT_EQ(run_chatserv({"help", "help"}).output, help);
    const std::string version = run_chatserv({"--version"}).output;
    EXPECT_EQ(run_chatserv({"version"}).output, version);
    EXPECT_EQ(run_chatserv({"-V"}).output, version);
    for (const char* const command : {"chaos", "drain", "stats"}) {
        const Finished finished = run_chatserv({"help", command});
        EXPECT_EQ(finished.status, 0);
        EXPECT_EQ(finished.output, run_chatserv({command, "--help"}).output);
        EXPECT_THAT(finished.output, HasSubstr("--control"));
    }
}

TEST_F(OptionsTest, ChecksHostNames) {
    const Finished finished =
        run_chatserv({"--check-config", "--listen", "no-such-name.invalid:1"});
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(finished.errors, HasSubstr("--listen \"no-such-name.invalid:1\": no address was "
                                           "found for no-such-name.invalid"));
    EXPECT_EQ(finished.output, "");
}

} // namespace
} // namespace chatserv::test
