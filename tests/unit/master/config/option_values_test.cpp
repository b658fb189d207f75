// Invalid values. Each is rejected on the command line, in the environment and in a file, and the
// message names its place and the correct form.
#include "tests/unit/master/config/options_test.h"

#include <algorithm>
#include <sysexits.h>

namespace chatserv {
namespace {

using testing::HasSubstr;
using testing::Not;

// Each bad value is tried as a flag in both forms, as a variable and in a file.
struct BadValue {
    std::string option;
    std::string value;
    std::string right; // the correct form that the message names
};

std::ostream& operator<<(std::ostream& out, const BadValue& bad) {
    return out << bad.option << " " << as_one_line(bad.value).substr(0, 40);
}

class BadValueTest : public testing::TestWithParam<BadValue> {
protected:
    test::TemporaryDirectory directory_;
};

TEST_P(BadValueTest, IsRejectedOnTheCommandLine) {
    const auto& [option, value, right] = GetParam();
    const std::string flag = "--" + option;
    const Words words{flag + " \"", right};
    expect_refusal(refusal_of({flag + "=" + value}), EX_USAGE, words);
    expect_refusal(refusal_of({flag, value}), EX_USAGE, words);
    expect_refusal(refusal_of({"--check-config", flag, value}), EX_USAGE, words);
}

TEST_P(BadValueTest, IsRejectedInTheEnvironmentByName) {
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

TEST_P(BadValueTest, IsRejectedInAFileByLine) {
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
const char* const log_size_range =
    "must be a number of bytes from 64K to 64G, with or without K, M or G";
const char* const limit_range = "must be a number of seconds from 0.1 to 3600, without a unit";
const char* const listen_forms = "must be HOST:PORT, for example 127.0.0.1:9999, localhost:9999";
const char* const replay_amounts =
    "must be a number of lines up to 1000000, or of bytes with K, M or G";
const char* const a_network = "must be an address, or a network without bits set beyond its prefix";
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
        BadValue{"min-drain", "0", "must be a number of bytes per second from 1 to 1G"},
        BadValue{"min-drain", "2G", "must be a number of bytes per second from 1 to 1G"},
        BadValue{"min-drain", "5G",
            "must be a number of bytes per second from 1 to 1G"}, // more than 2^32
        BadValue{"max-rate", "-1", "must be a number of bytes per second from 0 to 1G"},
        BadValue{"max-rate", "2G", "must be a number of bytes per second from 0 to 1G"},
        BadValue{"max-rate", "fast", "must be a number of bytes per second from 0 to 1G"},
        BadValue{"replay", "", replay_amounts}, BadValue{"replay", "-1", replay_amounts},
        BadValue{"replay", "1000001", replay_amounts}, BadValue{"replay", "65G", replay_amounts},
        BadValue{"replay", "20lines", replay_amounts}, BadValue{"replay", "1.5K", replay_amounts},
        BadValue{"replay", "all", replay_amounts}));

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
        BadValue{"idle-timeout", "-1", "must be 0, or a number of seconds from 0.1 to 604800"},
        BadValue{"idle-timeout", "0.05", "must be 0, or a number of seconds from 0.1 to 604800"},
        BadValue{"idle-timeout", "604801", "must be 0, or a number of seconds from 0.1 to 604800"},
        BadValue{"idle-timeout", "never", "must be 0, or a number of seconds from 0.1 to 604800"}));

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
        BadValue{"user", "", "must be the name or number of a user on this system"},
        BadValue{"user", "a\tb", "must be the name or number of a user on this system"}));

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
        BadValue{"listen", "::1:9999", "must be written with brackets: [::1]:9999"},
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

} // namespace
} // namespace chatserv
