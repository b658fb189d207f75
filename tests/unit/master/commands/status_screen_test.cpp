// The screen of `chatserv status`.
#include "master/commands/status_screen.h"

#include "shared/system/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chatserv {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

class StatusScreenTest : public testing::Test {
protected:
    [[nodiscard]] std::string screen() const {
        return status_screen(server_, status_, 1'700'003'600'000);
    }

    const ControlClient server_{"/somewhere", UniqueFd()};
    ordered_json status_ = ordered_json::parse(R"({"event":"status","version":"1.2","pid":7,
        "master":8,"started_ms":1700000000000,"clock_ms":1,"listen":["127.0.0.1:9999","[::1]:9999"],
        "accepting":true,"users":3,"users_max":10,"bytes_in":2048,"bytes_out":4096,
        "log":{"bytes":1048576,"head":9,"held":524288,"senders_wait":false},
        "slowest":[{"slot":4,"address":"192.0.2.1:5","backlog":524288}],
        "workers":[{"worker":1,"pid":70,"state":"serving","drained":false,"users":3,"awake":0.123,
            "takeovers":2,"last_takeover":{"at_ms":1700000000000,"milliseconds":0.456}},
            {"worker":2,"pid":0,"state":"being replaced","drained":false,"users":0,"awake":0.0,
            "takeovers":0,"last_takeover":null}]})");
};

TEST_F(StatusScreenTest, SaysThatWholeLinesAreRelayed) {
    status_["framing"] = nullptr;
    EXPECT_THAT(screen(), testing::Not(HasSubstr("\nlines ")));
    status_["framing"] = {{"line_max", 8192}};
    EXPECT_THAT(screen(), HasSubstr("\nlines    whole, of at most 8192 bytes\nlog "));
}

TEST_F(StatusScreenTest, SaysHowTheRoomOfSeveralHostsStands) {
    status_["room"] = nullptr;
    EXPECT_THAT(screen(), testing::Not(HasSubstr("\nroom ")));
    status_["room"] = {{"name", "lobby"}, {"link", "delivering"}, {"since_ms", 1'700'000'000'000},
        {"trouble", ""}, {"others", 2}, {"waiting", 0}, {"bridge", 71}};
    EXPECT_THAT(screen(),
        HasSubstr("\nroom     lobby: delivering since 2023-11-14T22:13:20Z, 2 other hosts; 0 B of "
                  "what users sent wait (bridge: pid 71)\n"));
    status_["room"].update({{"link", "waiting"}, {"trouble", "no\x1bquorum"}, {"waiting", 2048},
        {"since_ms", 0}, {"bridge", 0}});
    EXPECT_THAT(screen(),
        HasSubstr("\nroom     lobby: waiting (no?quorum), 2 other hosts; 2.0 KiB of what users "
                  "sent wait (the bridge is being started)\n"));
}

TEST_F(StatusScreenTest, ShowsEverything) {
    EXPECT_EQ(screen(),
        "chatserv 1.2, pid 7 (master 8), up 1 h 0 min\n"
        "listens  127.0.0.1:9999, [::1]:9999\n"
        "users    3 of 10\n"
        "in       -, 2.0 KiB in all\n"
        "out      -, 4.0 KiB in all\n"
        "log      50.0 % full: 512.0 KiB of 1.0 MiB wait for the slowest user\n"
        "\n"
        "  slot      backlog  address\n"
        "     4    512.0 KiB  192.0.2.1:5\n"
        "\n"
        "worker       pid   users    load  state           last takeover\n"
        "     1        70       3    12 %  serving         2023-11-14T22:13:20Z, 0.46 ms (2 in "
        "all)\n"
        "     2         0       0     0 %  being replaced  none\n");
}

TEST_F(StatusScreenTest, ShowsWhatIsUnusual) {
    status_["master"] = 7;
    status_["listen"] = ordered_json::array();
    status_["accepting"] = false;
    status_["in_rate"] = 1024;
    status_["log"]["senders_wait"] = true;
    status_["slowest"] = ordered_json::array();
    status_["workers"][0]["drained"] = true;
    EXPECT_THAT(screen(), HasSubstr("pid 7, up"));
    EXPECT_THAT(screen(), HasSubstr("listens  none; accepts no user now\n"));
    EXPECT_THAT(screen(), HasSubstr("in       1.0 KiB/s, 2.0 KiB in all\n"));
    EXPECT_THAT(screen(), HasSubstr("slowest user; senders wait\n"));
    EXPECT_THAT(screen(), HasSubstr("\nno user is behind\n"));
    EXPECT_THAT(screen(), HasSubstr("  drained  "));
}

TEST_F(StatusScreenTest, ShowsHowEachSourceStands) {
    status_["sources"] = ordered_json::parse(R"([
        {"source":"tcp:a:1","role":"speak","state":"connected","slot":4,"connections":2,"error":"",
            "next_try_ms":null},
        {"source":"unix:/x","role":"talk","state":"waiting","slot":null,"connections":0,
            "error":"Connection refused","next_try_ms":1234,"dropped":0},
        {"source":"tcp:b:2","role":"speak","state":"trying","slot":null,"connections":0,"error":"",
            "next_try_ms":null},
        {"source":"udp:c:3","role":"listen","state":"connected","slot":5,"connections":1,"error":"",
            "next_try_ms":null,"dropped":12},
        {"source":"stdin","role":"speak","state":"over","slot":null,"connections":1,"error":"",
            "next_try_ms":null}])");
    EXPECT_THAT(screen(),
        HasSubstr("source   tcp:a:1: connected, user 4\n"
                  "source   unix:/x: not connected (Connection refused), next try in 1.2 s\n"
                  "source   tcp:b:2: being connected\n"
                  "source   udp:c:3: connected, user 5, 12 datagrams lost\n"
                  "source   stdin: has ended\n"
                  "users    3 of 10\n"));
}

TEST_F(StatusScreenTest, AnotherVersionsStatusIsOneClearLine) {
    status_.erase("log");
    try {
        (void)screen();
        ADD_FAILURE() << "a status without a log was shown";
    } catch (const Failure& failure) {
        EXPECT_THAT(failure.what(), HasSubstr("/somewhere sent a status that this version does"));
    }
}

} // namespace
} // namespace chatserv
