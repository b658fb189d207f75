// The options, wherever they stand: what is taken, and what every refusal says.
//
// A refusal is one line that can be printed. It names the place, and says what would be right.
#include "master/options.h"

#include "master/failure.h"
#include "master/option_table.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Environment = std::vector<std::pair<std::string, std::string>>;
using Words = std::vector<std::string>;

// Nothing that the tests' own environment says is heard while it lives.
class ScopedEnvironment {
public:
    explicit ScopedEnvironment(const Environment& environment) {
        for (const OptionRow& row : option_table())
            set(row.variable(), nullptr);
        set(std::string(config_variable), nullptr);
        for (const auto& [name, value] : environment)
            set(name, value.c_str());
    }
    ~ScopedEnvironment() {
        for (auto saved = saved_.rbegin(); saved != saved_.rend(); ++saved)
            if (saved->second)
                ::setenv(saved->first.c_str(), saved->second->c_str(), 1);
            else
                ::unsetenv(saved->first.c_str());
    }
    ScopedEnvironment(const ScopedEnvironment&) = delete;
    ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

private:
    void set(const std::string& name, const char* value) {
        const char* const before = std::getenv(name.c_str());
        saved_.emplace_back(
            name, before == nullptr ? std::nullopt : std::optional<std::string>(before));
        if (value == nullptr)
            ::unsetenv(name.c_str());
        else
            ::setenv(name.c_str(), value, 1);
    }

    std::vector<std::pair<std::string, std::optional<std::string>>> saved_{};
};

Options options_of(const Words& arguments, const Environment& environment = {}) {
    const ScopedEnvironment scope(environment);
    std::vector<const char*> argv{"chatserv"};
    for (const std::string& argument : arguments)
        argv.push_back(argument.c_str());
    argv.push_back(nullptr);
    return parse_options(static_cast<int>(argv.size()) - 1, argv.data()).value();
}

struct Refusal {
    int status = 0; // 0: nothing was refused
    std::string line{};
};

Refusal refusal_of(const Words& arguments, const Environment& environment = {}) {
    try {
        (void)options_of(arguments, environment);
        return {};
    } catch (const Failure& failure) {
        return {failure.exit_status(), failure.what()};
    }
}

void expect_refusal(const Refusal& refusal, int status, const Words& words) {
    EXPECT_EQ(refusal.status, status) << refusal.line;
    EXPECT_TRUE(is_printable(refusal.line)) << refusal.line;
    EXPECT_LT(refusal.line.size(), 700U) << refusal.line;
    for (const std::string& word : words)
        EXPECT_THAT(refusal.line, HasSubstr(word));
}

// Each bad value is tried as a flag in both forms, as a variable and in a file.
struct BadValue {
    std::string option;
    std::string value;
    std::string right; // what the line says would be right
};

std::ostream& operator<<(std::ostream& out, const BadValue& bad) {
    return out << bad.option << " " << as_one_line(bad.value).substr(0, 40);
}

class BadValueTest : public testing::TestWithParam<BadValue> {
protected:
    test::TemporaryDirectory directory_;
};

TEST_P(BadValueTest, IsRefusedOnTheCommandLine) {
    const auto& [option, value, right] = GetParam();
    const std::string flag = "--" + option;
    const Words words{flag + " \"", right};
    expect_refusal(refusal_of({flag + "=" + value}), EX_USAGE, words);
    expect_refusal(refusal_of({flag, value}), EX_USAGE, words);
    expect_refusal(refusal_of({"--check-config", flag, value}), EX_USAGE, words);
}

TEST_P(BadValueTest, IsRefusedInTheEnvironmentByItsName) {
    const auto& [option, value, right] = GetParam();
    const std::string variable = find_option(option)->variable();
    const Refusal refusal = refusal_of({}, {{variable, value}});
    if (value.empty()) {
        EXPECT_EQ(refusal.status, 0) << "a variable that is empty is not set";
        return;
    }
    expect_refusal(refusal, EX_USAGE, {variable + " \"", right});
    EXPECT_THAT(refusal.line, Not(HasSubstr("--" + option)));
}

TEST_P(BadValueTest, IsRefusedInAFileWithItsLine) {
    const auto& [option, value, right] = GetParam();
    const bool of_one_line = is_printable(value) && value.find('"') == std::string::npos;
    const std::string quoted = of_one_line ? "\"" + value + "\"" : value;
    const std::string file =
        directory_.file("a.conf", "# first\n\n" + option + " = " + quoted + "\n");
    // A control character, or a byte that is not UTF-8, makes the whole line unreadable; a newline
    // makes two lines of it.
    const Words words =
        of_one_line ? Words{file + ":3: " + option + " \"", right} : Words{file + ":"};
    expect_refusal(refusal_of({"--config", file}), EX_CONFIG, words);
    expect_refusal(refusal_of({}, {{"CHATSERV_CONFIG", file}}), EX_CONFIG, words);
}

const char* const users_range = "must be a number from 1 to 100000";
const char* const log_size_range = "must be bytes from 64K to 64G, with or without K, M or G";
const char* const limit_range = "must be seconds from 0.1 to 3600, without a unit";
const char* const listen_forms = "must be HOST:PORT, for example 127.0.0.1:9999, localhost:9999";
const char* const a_network = "must be an address, or a network without bits beyond its prefix";
const char* const path_rule = "must be a path of at most 103 bytes, or none";

INSTANTIATE_TEST_SUITE_P(Counts, BadValueTest,
    testing::Values(BadValue{"users", "", users_range}, BadValue{"users", "0", users_range},
        BadValue{"users", "100001", users_range}, BadValue{"users", "-1", users_range},
        BadValue{"users", "+5", users_range}, BadValue{"users", " 10", users_range},
        BadValue{"users", "10 ", users_range}, BadValue{"users", "1e3", users_range},
        BadValue{"users", "0x10", users_range}, BadValue{"users", "1.5", users_range},
        BadValue{"users", "1,000", users_range}, BadValue{"users", "10k", users_range},
        BadValue{"users", "ten", users_range}, BadValue{"users", "7x", users_range},
        BadValue{"users", "18446744073709551626", users_range},
        BadValue{"users", "4294967306", users_range},
        BadValue{"users", std::string(100'000, '9'), users_range},
        BadValue{"users", "\xff\xfe", users_range}, BadValue{"users", "1\xc3", users_range},
        BadValue{"users", "1\n0", users_range}, BadValue{"users", "\x1b[31m10", users_range},
        BadValue{"users", "\xef\xbc\x91\xef\xbc\x90", users_range}, // wide digits
        BadValue{"users",
            "\xe2\x88\x92"
            "1",
            users_range},                             // U+2212, minus
        BadValue{"users", "10\xc2\xa0", users_range}, // a blank that does not break
        BadValue{"workers", "0", "must be a number from 1 to 64"},
        BadValue{"workers", "65", "must be a number from 1 to 64"},
        BadValue{"workers", "auto", "must be a number from 1 to 64"},
        BadValue{"spares", "-1", "must be a number from 0 to 16"},
        BadValue{"spares", "17", "must be a number from 0 to 16"},
        BadValue{"max-per-address", "-1", "must be a number from 0 to 100000"},
        BadValue{"max-per-address", "few", "must be a number from 0 to 100000"},
        BadValue{"keepalive", "-1", "must be a number from 0 to 7200"},
        BadValue{"keepalive", "7201", "must be a number from 0 to 7200"},
        BadValue{"keepalive", "off", "must be a number from 0 to 7200"},
        BadValue{"keepalive", "0.5", "must be a number from 0 to 7200"}));

INSTANTIATE_TEST_SUITE_P(Bytes, BadValueTest,
    testing::Values(BadValue{"log-size", "", log_size_range},
        BadValue{"log-size", "0", log_size_range}, BadValue{"log-size", "63K", log_size_range},
        BadValue{"log-size", "65G", log_size_range}, BadValue{"log-size", "1Q", log_size_range},
        BadValue{"log-size", "1T", log_size_range}, BadValue{"log-size", "K", log_size_range},
        BadValue{"log-size", "1.5M", log_size_range}, BadValue{"log-size", "64 K", log_size_range},
        BadValue{"log-size", "64KK", log_size_range}, BadValue{"log-size", "64Ki", log_size_range},
        BadValue{"log-size", "64iB", log_size_range},
        BadValue{"log-size", "99999B", log_size_range},
        BadValue{"log-size", "-64K", log_size_range},
        BadValue{"log-size", "0x10000", log_size_range},
        BadValue{"log-size", "1e6", log_size_range},
        BadValue{"log-size", "99999999999999999999G", log_size_range},
        BadValue{"log-size", "17179869184G", log_size_range}, // 2^64 bytes
        BadValue{"min-drain", "0", "must be bytes a second from 1 to 1G"},
        BadValue{"min-drain", "2G", "must be bytes a second from 1 to 1G"},
        BadValue{"min-drain", "5G", "must be bytes a second from 1 to 1G"}, // more than 2^32
        BadValue{"max-rate", "-1", "must be bytes a second from 0 to 1G"},
        BadValue{"max-rate", "2G", "must be bytes a second from 0 to 1G"},
        BadValue{"max-rate", "fast", "must be bytes a second from 0 to 1G"}));

INSTANTIATE_TEST_SUITE_P(Seconds, BadValueTest,
    testing::Values(BadValue{"stall-limit", "", limit_range},
        BadValue{"stall-limit", "0", limit_range}, BadValue{"stall-limit", "-1", limit_range},
        BadValue{"stall-limit", "0.0999", limit_range},
        BadValue{"stall-limit", "3601", limit_range}, BadValue{"stall-limit", "soon", limit_range},
        BadValue{"stall-limit", "nan", limit_range}, BadValue{"stall-limit", "inf", limit_range},
        BadValue{"stall-limit", "1e3", limit_range}, BadValue{"stall-limit", "5s", limit_range},
        BadValue{"stall-limit", "500ms", limit_range}, BadValue{"stall-limit", "1,5", limit_range},
        BadValue{"stall-limit", ".", limit_range}, BadValue{"stall-limit", "1.2.3", limit_range},
        BadValue{"stall-limit", std::string(5000, '9'), limit_range},
        BadValue{"hang-limit", "0", limit_range}, BadValue{"hang-limit", "never", limit_range},
        BadValue{"idle-timeout", "-1", "must be 0, or seconds from 0.1 to 604800"},
        BadValue{"idle-timeout", "0.05", "must be 0, or seconds from 0.1 to 604800"},
        BadValue{"idle-timeout", "604801", "must be 0, or seconds from 0.1 to 604800"},
        BadValue{"idle-timeout", "never", "must be 0, or seconds from 0.1 to 604800"}));

INSTANTIATE_TEST_SUITE_P(Words, BadValueTest,
    testing::Values(BadValue{"slow-policy", "", "must be wait or disconnect"},
        BadValue{"slow-policy", "later", "must be wait or disconnect"},
        BadValue{"log-level", "", "must be debug, info, warning, error or off"},
        BadValue{"log-level", "loud", "must be debug, info, warning, error or off"},
        BadValue{"log-level", "3", "must be debug, info, warning, error or off"},
        BadValue{"log-level", "info,warning", "must be debug, info, warning, error or off"},
        BadValue{"log-format", "xml", "must be text or json"},
        BadValue{"log-format", "text ", "must be text or json"}));

INSTANTIATE_TEST_SUITE_P(Texts, BadValueTest,
    testing::Values(BadValue{"control", "", path_rule},
        BadValue{"control", "/tmp/" + std::string(100, 'x'), path_rule},
        BadValue{"control", "/tmp/a\nb", path_rule}, BadValue{"control", "/tmp/\x1b[2J", path_rule},
        BadValue{"control", "/tmp/\xff", path_rule},
        BadValue{"control", "/tmp/\xe2\x80\xae", path_rule}, // turns the text around
        BadValue{"user", "", "must be the name or the number of a user of this system"},
        BadValue{"user", "a\tb", "must be the name or the number of a user of this system"}));

INSTANTIATE_TEST_SUITE_P(Addresses, BadValueTest,
    testing::Values(BadValue{"listen", "", listen_forms}, BadValue{"listen", ":", listen_forms},
        BadValue{"listen", "nowhere", listen_forms}, BadValue{"listen", "127.0.0.1", listen_forms},
        BadValue{"listen", "127.0.0.1:", listen_forms},
        BadValue{"listen", "127.0.0.1:65536", listen_forms},
        BadValue{"listen", "127.0.0.1:-1", listen_forms},
        BadValue{"listen", "127.0.0.1:+1", listen_forms},
        BadValue{"listen", "127.0.0.1:1x", listen_forms},
        BadValue{"listen", "127.0.0.1:http", listen_forms},
        BadValue{"listen", "127.0.0.1 9999", listen_forms},
        BadValue{"listen", "127.0.0.1.:1", listen_forms},
        BadValue{"listen", "256.0.0.1:1", listen_forms},
        BadValue{"listen", "1.2.3.4.5:1", listen_forms}, BadValue{"listen", "65536", listen_forms},
        BadValue{"listen", "-1", listen_forms}, BadValue{"listen", "[::1]", listen_forms},
        BadValue{"listen", "[::1:9999", listen_forms}, BadValue{"listen", "[]:9999", listen_forms},
        BadValue{"listen", "[127.0.0.1]:1", listen_forms},
        BadValue{"listen", "[localhost]:1", listen_forms},
        BadValue{"listen", "[*]:1", listen_forms}, BadValue{"listen", "[::1%]:1", listen_forms},
        BadValue{"listen", "[:::1]:1", listen_forms},
        BadValue{"listen", "::1:9999", "must be with the IPv6 address in brackets: [::1]:9999"},
        BadValue{"listen", "http://localhost:9999", listen_forms},
        BadValue{"listen", "localhost:9999/", listen_forms},
        BadValue{"listen", "-host:9999", listen_forms},
        BadValue{"listen", "a..b:9999", listen_forms}, BadValue{"listen", ".:9999", listen_forms},
        BadValue{"listen", "b\xc3\xbc\x63her.example:1", listen_forms},
        BadValue{"listen", std::string(300, 'a') + ":1", listen_forms},
        BadValue{"listen", "127.0.0.1:1,", listen_forms},
        BadValue{"listen", "127.0.0.1:1,,127.0.0.1:2", listen_forms},
        BadValue{"listen", "*:1 ipv6only=on", "[::]:PORT with ipv6only=on or ipv6only=off"},
        BadValue{"listen", "[::1]:1 ipv6only=on", "[::]:PORT with ipv6only=on or ipv6only=off"},
        BadValue{"listen", "[::]:1 ipv6only=yes", "[::]:PORT with ipv6only=on or ipv6only=off"},
        BadValue{"allow", "10.0.0.0/33", a_network}, BadValue{"allow", "10.1.2.3/8", a_network},
        BadValue{"allow", "10.0.0.0/8,", a_network}, BadValue{"allow", "all", a_network},
        BadValue{"allow", "*", a_network}, BadValue{"deny", "", a_network},
        BadValue{"deny", "somebody", a_network}, BadValue{"deny", "::1%lo", a_network},
        BadValue{"deny", "10.0.0.0-10.0.0.9", a_network}));

// What is wrong about the command line itself.
struct BadLine {
    Words arguments;
    Words said;
};

std::ostream& operator<<(std::ostream& out, const BadLine& bad) {
    for (const std::string& argument : bad.arguments)
        out << as_one_line(argument) << " ";
    return out;
}

class BadLineTest : public testing::TestWithParam<BadLine> {};

TEST_P(BadLineTest, IsRefusedWithWhatIsMeant) {
    expect_refusal(refusal_of(GetParam().arguments), EX_USAGE, GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(Each, BadLineTest,
    testing::Values(BadLine{{"--uesrs", "10"}, {"unknown option --uesrs; did you mean --users?"}},
        BadLine{{"--uesrs=10"}, {"unknown option --uesrs; did you mean --users?"}},
        BadLine{{"--users", "10", "--wokers", "2"}, {"--wokers; did you mean --workers?"}},
        BadLine{{"--USERS=10"}, {"unknown option --USERS; did you mean --users?"}},
        BadLine{{"--log_size=1M"}, {"unknown option --log_size; did you mean --log-size?"}},
        BadLine{{"--loglevel=info"}, {"did you mean --log-level?"}},
        BadLine{{"--check"}, {"unknown option --check"}},
        BadLine{{"--checkconfig"}, {"did you mean --check-config?"}},
        BadLine{{"--work", "2"}, {"did you mean --workers?"}},
        BadLine{{"--halp"}, {"did you mean --help?"}},
        BadLine{{"-users", "10"}, {"unknown option -users; did you mean --users?"}},
        BadLine{{"-listen=1"}, {"unknown option -listen; did you mean --listen?"}},
        BadLine{{"--frobnicate"}, {"unknown option --frobnicate (see chatserv --help)"}},
        BadLine{{"-p", "9999"}, {"unknown option -p (see"}}, BadLine{{"-?"}, {"unknown option -?"}},
        BadLine{{"-hV"}, {"unknown option -hV"}},
        BadLine{{"---users=1"}, {"did you mean --users?"}},
        BadLine{{"--=1"}, {"unknown option --"}}, BadLine{{"-=1"}, {"unknown option -"}},
        BadLine{{std::string("--") + std::string(100'000, 'x').substr(0, 300)}, {"unknown option"}},
        BadLine{{"--\xff\n"}, {"unknown option --??"}},
        BadLine{{"--", "--users", "10"}, {"unknown option --"}},
        BadLine{{"\xe2\x80\x94users", "10"}, {"long dash", "did you mean --users?"}},
        BadLine{{"\xe2\x80\x93users=10"}, {"long dash", "did you mean --users?"}},
        BadLine{{"foo"}, {"there is no command \"foo\"", "chaos, stats, version and help"}},
        BadLine{{"stat"}, {"no command \"stat\"; did you mean stats?"}},
        BadLine{{"Stats"}, {"no command \"Stats\"; did you mean stats?"}},
        BadLine{{"9999"}, {"there is no command \"9999\""}},
        BadLine{{"localhost", "9999"}, {"there is no command \"localhost\""}},
        BadLine{{""}, {"there is no command \"\""}}, BadLine{{"-"}, {"there is no command \"-\""}},
        BadLine{{"--users", "10", "stats"}, {"stats must come first: chatserv stats"}},
        BadLine{{"--allow", "10.0.0.0/8", "192.0.2.0/24"}, {"no command \"192.0.2.0/24\""}},
        BadLine{{"users=10"}, {"did you mean --users?"}},
        BadLine{{"--users"}, {"--users needs a value: a number from 1 to 100000"}},
        BadLine{{"--users", "--workers", "3"}, {"--users needs a value: a number from"}},
        BadLine{{"--listen"}, {"--listen needs a value: HOST:PORT"}},
        BadLine{{"--control", "--check-config"}, {"--control needs a value: a path"}},
        BadLine{{"--config"}, {"--config needs a value: the path of a configuration file"}},
        BadLine{{"--users=5", "--users=6"}, {"--users is given twice"}},
        BadLine{{"--users", "5", "--users", "5"}, {"--users is given twice"}},
        BadLine{{"--user=a", "--user=b"}, {"--user is given twice"}},
        BadLine{{"--config=a", "--config=b"}, {"--config is given twice"}},
        BadLine{{"--check-config", "--check-config"}, {"--check-config is given twice"}},
        BadLine{{"--check-config=1"}, {"--check-config takes no value"}},
        BadLine{{"--help=all"}, {"--help takes no value"}},
        BadLine{{"--version="}, {"--version takes no value"}},
        BadLine{{"--config", ""}, {"--config \"\": must be the path of a configuration file"}},
        BadLine{{"--config="}, {"--config \"\": must be the path of a configuration file"}}));

class OptionsUnitTest : public testing::Test {
protected:
    [[nodiscard]] std::string file(std::string_view content) const {
        return directory_.file("b.conf", content);
    }
    [[nodiscard]] Refusal refusal_of_file(std::string_view content) const {
        return refusal_of({"--config", file(content)});
    }
    [[nodiscard]] Options options_of_file(std::string_view content) const {
        return options_of({"--config", file(content)});
    }

    test::TemporaryDirectory directory_;
};

template <typename Items>
std::vector<std::string> texts_of(const Items& items) {
    std::vector<std::string> texts;
    for (const auto& item : items)
        texts.push_back(item.text());
    return texts;
}

TEST_F(OptionsUnitTest, TakeTheirValueBehindABlankOrAnEqualsSign) {
    EXPECT_EQ(options_of({"--users=12"}).users, 12U);
    EXPECT_EQ(options_of({"--users", "12"}).users, 12U);
    EXPECT_EQ(options_of({"--users", "12", "--workers=3", "--"}).workers, 3U);
    EXPECT_EQ(options_of({"--control", "--odd"}).control, "--odd");
}

TEST_F(OptionsUnitTest, TakeBytesAsPeopleWriteThem) {
    for (const char* const text : {"65536", "64K", "64k", "64KB", "64kb", "64kB", "64KiB", "64kib"})
        EXPECT_EQ(options_of({"--log-size", text}).log_bytes, 65'536U) << text;
    for (const char* const text : {"1M", "1m", "1MB", "1MiB", "1mib", "1024K", "1048576"})
        EXPECT_EQ(options_of({"--log-size", text}).log_bytes, 1U << 20) << text;
    for (const char* const text : {"64G", "64g", "64GB", "64GiB"})
        EXPECT_EQ(options_of({"--log-size", text}).log_bytes, 64ULL << 30) << text;
}

TEST_F(OptionsUnitTest, TakeWordsInCapitalsAndShort) {
    for (const char* const text : {"warning", "warn", "WARN", "Warning"})
        EXPECT_EQ(options_of({"--log-level", text}).log_level, "warning") << text;
    EXPECT_EQ(options_of({"--log-level", "INFO"}).log_level, "info");
    EXPECT_EQ(options_of({"--log-level", "err"}).log_level, "error");
    EXPECT_EQ(options_of({"--log-format", "JSON"}).log_format, LogFormat::json);
    EXPECT_EQ(options_of({"--slow-policy", "Disconnect"}).slow_policy, SlowPolicy::disconnect);
}

TEST_F(OptionsUnitTest, TakeFractionsOfSecondsToTheMillisecond) {
    using std::chrono::milliseconds;
    EXPECT_EQ(options_of({"--stall-limit", "0.1"}).stall_limit, milliseconds(100));
    EXPECT_EQ(options_of({"--stall-limit", "1.001"}).stall_limit, milliseconds(1001));
    EXPECT_EQ(options_of({"--stall-limit", "2.999"}).stall_limit, milliseconds(2999));
    EXPECT_EQ(options_of({"--idle-timeout", "0"}).idle_timeout, milliseconds(0));
    EXPECT_EQ(options_of({"--idle-timeout", "0.0"}).idle_timeout, milliseconds(0));
}

TEST_F(OptionsUnitTest, StandOnTheCommandLineBeforeTheEnvironmentBeforeTheFile) {
    const std::string config = file("users = 3\nallow = 10.0.0.0/8\nworkers = 5\n");
    const Options options = options_of({"--config", config, "--users", "5"},
        {{"CHATSERV_USERS", "4"}, {"CHATSERV_ALLOW", "192.0.2.1,192.0.2.2"}});
    EXPECT_EQ(options.users, 5U);
    EXPECT_EQ(options.workers, 5U);
    EXPECT_THAT(texts_of(options.allow), ElementsAre("192.0.2.1/32", "192.0.2.2/32"));
}

TEST_F(OptionsUnitTest, AreJudgedAlsoWhereAnotherSourceReplacesThem) {
    const std::string config = file("users = 0\n");
    expect_refusal(refusal_of({"--config", config, "--users", "5"}), EX_CONFIG, {":1: users"});
    expect_refusal(refusal_of({"--users", "5"}, {{"CHATSERV_USERS", "0"}}), EX_USAGE,
        {"CHATSERV_USERS \"0\""});
}

TEST_F(OptionsUnitTest, AreNotSetByAnEmptyVariable) {
    EXPECT_EQ(options_of({}, {{"CHATSERV_USERS", ""}, {"CHATSERV_CONFIG", ""}}).users, 10U);
}

TEST_F(OptionsUnitTest, LeaveOtherVariablesAlone) {
    EXPECT_EQ(options_of({}, {{"CHATSERV_PORT", "tcp://10.0.0.1:9999"}}).users, 10U);
}

TEST_F(OptionsUnitTest, NameTheVariableOfAFileThatIsNotThere) {
    expect_refusal(refusal_of({}, {{"CHATSERV_CONFIG", "/nowhere/a.conf"}}), EX_NOINPUT,
        {"CHATSERV_CONFIG \"/nowhere/a.conf\"", "No such file"});
}

TEST_F(OptionsUnitTest, AreReadFromFilesOfOtherEditors) {
    EXPECT_EQ(options_of_file("\xef\xbb\xbfusers = 12\n").users, 12U);
    EXPECT_EQ(options_of_file("\xef\xbb\xbfusers = 12\r\nworkers = 3\r\n").workers, 3U);
    EXPECT_EQ(options_of_file("\r\n\r\nusers = 12").users, 12U);
    EXPECT_EQ(options_of_file("\xef\xbb\xbf").users, 10U);
    EXPECT_EQ(options_of_file("").users, 10U);
}

TEST_F(OptionsUnitTest, AreReadFromAFileAsPeopleWriteThem) {
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

TEST_F(OptionsUnitTest, KeepWhatStandsInQuotes) {
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

// What is wrong about the file itself: the text, and what the line says behind the file's name.
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

TEST_P(BadFileTest, IsRefusedWithTheLine) {
    const std::string file = directory_.file("c.conf", GetParam().content);
    const Refusal refusal = refusal_of({"--config", file});
    expect_refusal(refusal, EX_CONFIG, GetParam().said);
    EXPECT_THAT(refusal.line, testing::StartsWith(file + ":"));
}

INSTANTIATE_TEST_SUITE_P(Each, BadFileTest,
    testing::Values(
        BadFile{"[server]\nusers = 3\n", {":1: [server]: sections are not used", "`name = value`"}},
        BadFile{"users = 3\n[[more]]\n", {":2: [[more]]: sections are not used"}},
        BadFile{"[default]\n", {":1: [default]: sections are not used"}},
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
        BadFile{"config = other.conf\n", {":1: config can be given on the command line only"}},
        BadFile{"help = 1\n", {":1: help can be given on the command line only"}},
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
        BadFile{"\nlisten = [\"1\", \"2\"\nusers = 3\n", {":2: ", "has no ] at its end"}},
        BadFile{"listen = [ \"1\n", {":1: ", "has no ] at its end"}},
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

TEST_F(OptionsUnitTest, AreNotReadFromWhatIsNoFile) {
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

TEST_F(OptionsUnitTest, AreNotReadFromAFileThatMayNotBeRead) {
    const std::string closed = file("users = 3\n");
    ASSERT_EQ(::chmod(closed.c_str(), 0), 0);
    const uid_t user = ::geteuid();
    ASSERT_EQ(::seteuid(user == 0 ? 65534 : user), 0); // root may read everything
    const Refusal refusal = refusal_of({"--config", closed});
    ASSERT_EQ(::seteuid(user), 0);
    expect_refusal(refusal, EX_NOINPUT, {"cannot be read: Permission denied"});
}

// To open such a FIFO waits, without O_NONBLOCK.
TEST_F(OptionsUnitTest, AreNotWaitedForAtAFifoThatNobodyWritesTo) {
    const std::string fifo = (directory_.path() / "fifo").string();
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    expect_refusal(refusal_of({"--config", fifo}), EX_NOINPUT,
        {"--config \"" + fifo + "\": nothing came through this pipe"});
}

TEST_F(OptionsUnitTest, AreReadFromAFifo) {
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

TEST_F(OptionsUnitTest, ThatAreDescribedAreTheSameWhenRead) {
    const std::vector<Words> lines{{}, {"--users=7", "--log-size=65537", "--min-drain=1M"},
        {"--stall-limit=1.001", "--hang-limit=0.5", "--idle-timeout=90.5", "--max-rate=9K"},
        {"--control", R"(/tmp/a "b" 'c' \ # ; d)", "--log-level=WARN", "--log-format=json"},
        {"--control=none", "--slow-policy=disconnect", "--keepalive=0", "--max-per-address=3"},
        {"--listen=*:1,:2,3,localhost:4", "--listen=[fe80::1%eth0]:5", "--listen",
            "[::]:6 ipv6only=on", "--listen=[::]:7 ipv6only=off"},
        {"--allow=10.0.0.0/8,::1", "--deny=10.9.0.0/16", "--user=root"}};
    for (const Words& line : lines) {
        const std::string described = describe(options_of(line));
        EXPECT_EQ(describe(options_of_file(described)), described);
    }
}

// So that neither can be forgotten when an option is added.
TEST_F(OptionsUnitTest, StandInTheHelpAndInTheDescription) {
    testing::internal::CaptureStdout();
    const ScopedEnvironment none({});
    const char* const arguments[] = {"chatserv", "-h", nullptr};
    EXPECT_FALSE(parse_options(2, arguments).has_value());
    const std::string help = testing::internal::GetCapturedStdout();
    const std::string described = describe(Options{});
    for (const OptionRow& row : option_table()) {
        EXPECT_THAT(help, HasSubstr("  --" + row.name + " " + row.type));
        EXPECT_THAT(described, testing::AnyOf(HasSubstr(row.name + " = "),
                                   HasSubstr("# " + row.name + " is not set")));
        EXPECT_FALSE(row.kind.print(Options{}).empty() && row.by_default.empty()) << row.name;
    }
    std::string line;
    for (std::istringstream lines(help); std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(OptionsUnitTest, GiveTheVersionForBothItsFlags) {
    for (const char* const flag : {"-V", "--version"}) {
        testing::internal::CaptureStdout();
        const char* const arguments[] = {"chatserv", flag, "--uesrs", nullptr};
        EXPECT_FALSE(parse_options(3, arguments).has_value());
        EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::StartsWith("chatserv "));
    }
}

} // namespace
} // namespace chatserv
