// Errors of the command line itself.
#include "tests/unit/master/config/options_test.h"

#include <sysexits.h>

namespace chatserv {
namespace {

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

TEST_P(BadLineTest, IsRejectedWithACorrection) {
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
        BadLine{{"foo"},
            {"unknown command \"foo\"", "chaos, drain, events, kick, reload, stats, status, "
                                        "top, upgrade, users, version and help"}},
        BadLine{{"stat"}, {"unknown command \"stat\"; did you mean stats?"}},
        BadLine{{"Stats"}, {"unknown command \"Stats\"; did you mean stats?"}},
        BadLine{{"9999"}, {"unknown command \"9999\""}},
        BadLine{{"localhost", "9999"}, {"unknown command \"localhost\""}},
        BadLine{{""}, {"unknown command \"\""}}, BadLine{{"-"}, {"unknown command \"-\""}},
        BadLine{{"--users", "10", "stats"}, {"stats must come first: chatserv stats"}},
        BadLine{{"--allow", "10.0.0.0/8", "192.0.2.0/24"}, {"unknown command \"192.0.2.0/24\""}},
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

} // namespace
} // namespace chatserv
