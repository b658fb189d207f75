// The options: accepted values, the order of the sources, and the output of --help and
// --check-config.
#include "tests/unit/master/config/options_test.h"

#include <sstream>
#include <sysexits.h>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(OptionsUnitTest, TakeTheirValueAfterABlankOrAnEqualsSign) {
    EXPECT_EQ(options_of({"--users=12"}).users, 12U);
    EXPECT_EQ(options_of({"--users", "12"}).users, 12U);
    EXPECT_EQ(options_of({"--users", "12", "--workers=3", "--"}).workers, 3U);
    EXPECT_EQ(options_of({"--control", "--odd"}).control, "--odd");
}

TEST_F(OptionsUnitTest, TakeNumbersOfBytesWithUnits) {
    for (const char* const text : {"65536", "64K", "64k", "64KB", "64kb", "64kB", "64KiB", "64kib"})
        EXPECT_EQ(options_of({"--log-size", text}).log_bytes, 65'536U) << text;
    for (const char* const text : {"1M", "1m", "1MB", "1MiB", "1mib", "1024K", "1048576"})
        EXPECT_EQ(options_of({"--log-size", text}).log_bytes, 1U << 20) << text;
    for (const char* const text : {"64G", "64g", "64GB", "64GiB"})
        EXPECT_EQ(options_of({"--log-size", text}).log_bytes, 64ULL << 30) << text;
}

TEST_F(OptionsUnitTest, TakeWordsInCapitalsAndAbbreviated) {
    for (const char* const text : {"warning", "warn", "WARN", "Warning"})
        EXPECT_EQ(options_of({"--log-level", text}).log_level, "warning") << text;
    EXPECT_EQ(options_of({"--log-level", "INFO"}).log_level, "info");
    EXPECT_EQ(options_of({"--log-level", "err"}).log_level, "error");
    EXPECT_EQ(options_of({"--log-format", "JSON"}).log_format, LogFormat::json);
    EXPECT_EQ(options_of({"--slow-policy", "Disconnect"}).slow_policy, SlowPolicy::disconnect);
}

TEST_F(OptionsUnitTest, TakeTheModeOfAFile) {
    EXPECT_EQ(options_of({"--unix-mode", "600"}).unix_mode, 0600U);
    EXPECT_EQ(options_of({"--unix-mode", "0777"}).unix_mode, 0777U);
    EXPECT_EQ(options_of({"--unix-mode", "0"}).unix_mode, 0U);
    for (const char* const text : {"1777", "8", "u+w", "", "-1", "00660"})
        expect_refusal(refusal_of({"--unix-mode", text}), EX_USAGE, {"--unix-mode", "octal"});
}

TEST_F(OptionsUnitTest, TakeFractionsOfSecondsToTheMillisecond) {
    using std::chrono::milliseconds;
    EXPECT_EQ(options_of({"--stall-limit", "0.1"}).stall_limit, milliseconds(100));
    EXPECT_EQ(options_of({"--stall-limit", "1.001"}).stall_limit, milliseconds(1001));
    EXPECT_EQ(options_of({"--stall-limit", "2.999"}).stall_limit, milliseconds(2999));
    EXPECT_EQ(options_of({"--idle-timeout", "0"}).idle_timeout, milliseconds(0));
    EXPECT_EQ(options_of({"--idle-timeout", "0.0"}).idle_timeout, milliseconds(0));
}

TEST_F(OptionsUnitTest, TakeWholeLinesAndWhatGoesWithThem) {
    const Options options = options_of(
        {"--framing", "line", "--line-max", "2K", "--line-end", "LF", "--prefix", "name"});
    EXPECT_EQ(options.framing, Framing::line);
    EXPECT_EQ(options.line_max_bytes, 2048U);
    EXPECT_EQ(options.line_end, LineEnd::lf);
    EXPECT_EQ(options.prefix, Prefix::name);
    EXPECT_EQ(options_of({"--line-max", "32K"}).framing, Framing::none) << "the default";
}

TEST_F(OptionsUnitTest, RefuseFramingThatCannotBe) {
    expect_refusal(refusal_of({"--prefix", "name"}), EX_USAGE, {"--prefix needs --framing line"});
    expect_refusal(refusal_of({"--framing", "line", "--log-size", "64K", "--line-max", "8193"}),
        EX_USAGE, {"--line-max must be at most an eighth of --log-size", "8192", "8193"});
    expect_refusal(refusal_of({"--line-max", "33K"}), EX_USAGE, {"--line-max", "32K"});
    expect_refusal(refusal_of({"--framing", "lines"}), EX_USAGE, {"none or line"});
}

TEST_F(OptionsUnitTest, PreferTheCommandLineToTheEnvironmentToTheFile) {
    const std::string config = file("users = 3\nallow = 10.0.0.0/8\nworkers = 5\n");
    const Options options = options_of({"--config", config, "--users", "5"},
        {{"CHATSERV_USERS", "4"}, {"CHATSERV_ALLOW", "192.0.2.1,192.0.2.2"}});
    EXPECT_EQ(options.users, 5U);
    EXPECT_EQ(options.workers, 5U);
    EXPECT_THAT(texts_of(options.allow), ElementsAre("192.0.2.1/32", "192.0.2.2/32"));
}

TEST_F(OptionsUnitTest, AreValidatedEvenWhenAnotherSourceOverridesThem) {
    const std::string config = file("users = 0\n");
    expect_refusal(refusal_of({"--config", config, "--users", "5"}), EX_CONFIG, {":1: users"});
    expect_refusal(refusal_of({"--users", "5"}, {{"CHATSERV_USERS", "0"}}), EX_USAGE,
        {"CHATSERV_USERS \"0\""});
}

TEST_F(OptionsUnitTest, AreNotSetByAnEmptyVariable) {
    EXPECT_EQ(options_of({}, {{"CHATSERV_USERS", ""}, {"CHATSERV_CONFIG", ""}}).users, 10U);
}

TEST_F(OptionsUnitTest, IgnoreOtherVariables) {
    EXPECT_EQ(options_of({}, {{"CHATSERV_PORT", "tcp://10.0.0.1:9999"}}).users, 10U);
}

TEST_F(OptionsUnitTest, SurviveBeingPrintedAndReadBack) {
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
TEST_F(OptionsUnitTest, AreListedInTheHelpAndByCheckConfig) {
    testing::internal::CaptureStdout();
    const ScopedEnvironment none({});
    const char* const arguments[] = {"chatserv", "-h", nullptr};
    EXPECT_FALSE(parse_options(2, arguments).has_value());
    const std::string help = testing::internal::GetCapturedStdout();
    const std::string described = describe(Options{});
    for (const OptionRow& row : option_table()) {
        const std::string mark = row.on_reload == OnReload::keeps ? "\n  " : "\n+ ";
        EXPECT_THAT(help, HasSubstr(mark + "--" + row.name + " " + row.type));
        EXPECT_THAT(described, testing::AnyOf(HasSubstr(row.name + " = "),
                                   HasSubstr("# " + row.name + " is not set")));
        EXPECT_FALSE(row.kind.print(Options{}).empty() && row.by_default.empty()) << row.name;
    }
    std::string line;
    for (std::istringstream lines(help); std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(OptionsUnitTest, PrintTheVersionForBothFlags) {
    for (const char* const flag : {"-V", "--version"}) {
        testing::internal::CaptureStdout();
        const char* const arguments[] = {"chatserv", flag, "--uesrs", nullptr};
        EXPECT_FALSE(parse_options(3, arguments).has_value());
        EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::StartsWith("chatserv "));
    }
}

} // namespace
} // namespace chatserv
