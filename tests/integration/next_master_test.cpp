// Commands that go on with the next master, at whichever request the master dies. A stand-in for
// the masters chooses that request; kick_test, events_test and top_test have masters that are
// killed.
#include "tests/harness/process.h"
#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/stand_in_masters.h"

#include <gmock/gmock.h>
#include <optional>
#include <string>
#include <sysexits.h>
#include <utility>
#include <vector>

namespace chatserv::test {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string watching = R"({"event":"watching"})";
const std::string stats = R"({"event":"stats","users":0})";
const std::string first_page = R"({"event":"users","clock_ms":1,"users":[],"next":5})";
const std::string no_users = R"({"event":"users","clock_ms":1,"users":[],"next":null})";
const std::string no_such_user = R"({"event":"refused","reason":"there is no such user"})";

std::string users(int generation) {
    return R"({"event":"users","users":[{"slot":4,"generation":)" + std::to_string(generation) +
           R"(},{"slot":5,"generation":9}],"next":null})";
}
std::string left(int generation) {
    return R"({"event":"left","slot":4,"generation":)" + std::to_string(generation) + "}";
}
std::string kicking(int generation, const std::string& next_line = "") {
    return R"({"event":"kicking","users":[{"slot":4,"generation":)" + std::to_string(generation) +
           R"(}],"all":true})" + (next_line.empty() ? "" : "\n" + next_line);
}

const std::string draining = R"({"event":"draining","worker":1,"users":3})";
const std::string drain_end =
    R"({"event":"drained","worker":1,"users":3,"milliseconds":1.5,"complete":true})";
// As a master counts it: these workers are drained, and worker 1 has so many users.
std::string drained(const std::string& workers, int users) {
    return R"({"event":"stats","drained":)" + workers + R"(,"load":[{"worker":2,"users":9},)" +
           R"({"worker":1,"users":)" + std::to_string(users) + "}]}";
}

const std::string upgrading = R"({"event":"upgrading","number":6,"from":"1","program":"p"})";
std::string upgrade_status(int number) {
    return R"({"event":"upgrade_status","number":)" + std::to_string(number) + R"(,"step":"none"})";
}

constexpr bool dies = true; // behind its answers
const StandInMasters::Master dead_on_arrival{.answers = {}, .greets = false};

class NextMasterTest : public testing::Test {
protected:
    void serve(std::vector<StandInMasters::Master> masters) {
        masters_.emplace(loop_, socket(), std::move(masters));
    }
    [[nodiscard]] std::string socket() const {
        return (folder_.path() / "chatserv-7.sock").string();
    }
    Finished command(std::vector<std::string> words) {
        words.insert(words.begin(), chatserv_path());
        words.insert(words.end(), {"--control", socket()});
        return run(loop_, {words});
    }
    void expect_kicked(const std::string& user) {
        const Finished finished = command({"kick", user});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        EXPECT_EQ(finished.output, "1 user disconnected\n");
    }
    void expect_drained() {
        const Finished finished = command({"drain", "1"});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        EXPECT_EQ(finished.output, "worker 1 drained: its users have moved to other workers\n");
    }
    void expect_failure(const std::vector<std::string>& words, const std::string& why) {
        const Finished finished = command(words);
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_THAT(finished.errors, EndsWith(why + "\n"));
    }

    TemporaryDirectory folder_;
    Loop loop_;
    std::optional<StandInMasters> masters_;
};

// By its slot alone, the next master would kick whoever has the slot by then.
TEST_F(NextMasterTest, KickAsksForTheSameUserAgain) {
    serve({{}, {{watching}}, {{watching, users(17)}}, {{watching, kicking(17)}, dies},
        {{watching, kicking(17, left(17))}}});
    expect_kicked("4");
    EXPECT_THAT(masters_->requests(),
        ElementsAre("events", "", "events", "users 4", "", "events", "users 4", "kick 4 17", "",
            "events", "kick 4 17", "", "events", "kick 4 17", ""));
}

TEST_F(NextMasterTest, KickTakesNoOtherUserOfTheSlotForItsOwn) {
    serve({{{watching, users(17), kicking(17, left(16))}, dies},
        {{watching, kicking(17, left(18))}, dies}});
    expect_failure({"kick", "4"}, "has ended: see its log");
}

TEST_F(NextMasterTest, AKickedUserThatTheNextMasterDoesNotKnowIsGone) {
    serve({{{watching, users(17)}}, {{watching, no_such_user}}});
    expect_kicked("4");
}

TEST_F(NextMasterTest, AUserThatLeavesBeforeItIsKickedIsGone) {
    serve({{{watching, users(17), left(17) + "\n" + no_such_user}}});
    expect_kicked("4 17");
}

TEST_F(NextMasterTest, KickRefusesASlotThatHasAnotherUserOrNone) {
    serve({{{watching, users(17)}}, {{watching, no_users}}});
    expect_failure({"kick", "4 16"}, "there is no such user");
    expect_failure({"kick", "4"}, "there is no such user");
}

TEST_F(NextMasterTest, KickByAddressAsksAgain) {
    serve({{{watching}}, {{watching, kicking(17)}, dies}, {{watching, no_such_user}}});
    expect_kicked("192.0.2.1");
    EXPECT_THAT(masters_->requests(), ElementsAre("events", "kick 192.0.2.1", "", "events",
                                          "kick 192.0.2.1", "", "events", "kick 4 17", ""));
}

// More users are meant than were named, and nobody knows whether they are gone.
TEST_F(NextMasterTest, KickThatIsCutShortIsNoSuccess) {
    const std::string one_of_many =
        R"({"event":"kicking","users":[{"slot":4,"generation":17}],"all":false})";
    serve({{{watching, one_of_many + "\n" + left(17)}}});
    expect_failure({"kick", "192.0.2.1"}, "has ended: see its log");
    EXPECT_THAT(
        masters_->requests(), ElementsAre("events", "kick 192.0.2.1", "kick 192.0.2.1", ""));
}

TEST_F(NextMasterTest, ReadingsAreAskedForAgain) {
    serve({{}, {{stats}}});
    EXPECT_EQ(command({"stats"}).output, stats + "\n");
    serve({{{first_page}}, {}, {{no_users}}, {{no_users}}});
    EXPECT_EQ(command({"users", "--interval=0.01", "--json"}).status, 0);
    EXPECT_THAT(masters_->requests(), ElementsAre("users 0", "users 5", "", "users 0", "",
                                          "users 0", "users 0", "", "users 0", ""));
    serve({{}, {{R"({"event":"status","users":3})"}}});
    EXPECT_EQ(command({"status", "--json", "--interval=0"}).output,
        "{\"event\":\"status\",\"users\":3}\n");
}

TEST_F(NextMasterTest, ADrainGoesOn) {
    serve({{}, {{drained("[2]", 0), draining + "\n" + drain_end, drained("[1,2]", 0)}}});
    expect_drained();
    serve({{}, {{drained("[1]", 3) + "\n" + drain_end, drained("[1]", 0)}}});
    expect_drained();
    serve({{{draining}, dies}, {}, {{drained("[2,1]", 0)}}});
    expect_drained();
    EXPECT_THAT(masters_->requests(), ElementsAre("drain 1", "", "stats", "", "stats", ""));
}

TEST_F(NextMasterTest, ADrainThatSomebodyEndedIsNoSuccess) {
    serve({{{draining}, dies}, {{drained("[]", 0)}}});
    expect_failure({"drain", "1"}, "the drain of worker 1 was ended");
    serve({{}, {{drained("[1]", 3)}, dies}, {{drained("[]", 0)}}});
    expect_failure({"drain", "1"}, "the drain of worker 1 was ended");
    serve({{{draining}, dies}});
    expect_failure({"drain", "1"}, "has ended: see its log");
}

TEST_F(NextMasterTest, TheEndOfADrainIsAskedForAgain) {
    const std::string ended = R"({"event":"drain_ended","worker":1})";
    serve({{}, {}, {{drained("[1]", 0), ended}}});
    EXPECT_EQ(command({"drain", "1", "--end"}).output, "worker 1 takes users again\n");
    EXPECT_THAT(masters_->requests(),
        ElementsAre("drain-end 1", "", "stats", "", "stats", "drain-end 1", ""));
    serve({{}, {{drained("[]", 0)}}});
    EXPECT_EQ(command({"drain", "1", "--end"}).output, "worker 1 takes users again\n");
    serve({{{R"({"event":"refused","reason":"worker 1 is not drained"})"}}});
    expect_failure({"drain", "1", "--end"}, "worker 1 is not drained");
}

TEST_F(NextMasterTest, AnUpgradeGoesOn) {
    const std::string done =
        R"({"event":"upgraded","number":6,"from":"1","to":"2","milliseconds":3,"workers":2})";
    serve({{{upgrade_status(5)}}, {{upgrade_status(6), done}}});
    const Finished noted = command({"upgrade"});
    EXPECT_EQ(noted.status, 0) << noted.errors;
    EXPECT_THAT(noted.output, StartsWith("upgraded from 1 to 2 in 3.0 ms"));
    EXPECT_THAT(masters_->requests(),
        ElementsAre("upgrade-status", "upgrade", "", "upgrade-status", "upgrade-status", ""));
    serve({{}, {{upgrade_status(5)}}, {{upgrade_status(5), upgrading, done}}});
    const Finished asked_again = command({"upgrade"});
    EXPECT_EQ(asked_again.status, 0) << asked_again.errors;
    EXPECT_THAT(asked_again.output, StartsWith("upgrading from 1: trying p\nupgraded from 1 to 2"));
}

TEST_F(NextMasterTest, AnUpgradeThatFailedWithItsMasterSaysWhy) {
    serve({{{upgrade_status(5)}},
        {{upgrade_status(6), R"({"event":"upgrade_failed","number":6,"reason":"it died"})"}}});
    expect_failure({"upgrade"}, "the upgrade failed, and the server goes on as it was: it died");
}

TEST_F(NextMasterTest, AnyCommandIsGreetedByTheNextMaster) {
    serve({dead_on_arrival, dead_on_arrival, {{stats}}});
    EXPECT_EQ(command({"stats"}).output, stats + "\n");
    EXPECT_THAT(masters_->requests(), ElementsAre("", "", "stats", ""));
    serve({dead_on_arrival, {{watching, users(17)}}, {{watching, no_such_user}}});
    expect_kicked("4");
}

TEST_F(NextMasterTest, SoIsOneThatLooksForTheServer) {
    serve({dead_on_arrival, dead_on_arrival, {{stats}}});
    const Finished finished = run(
        loop_, {{chatserv_path(), "stats"}, {{"CHATSERV_CONTROL_DIR", folder_.path().string()}}});
    EXPECT_EQ(finished.output, stats + "\n") << finished.errors;
}

TEST_F(NextMasterTest, WhatClosesEveryConnectionIsNoServer) {
    serve(std::vector<StandInMasters::Master>(1000, dead_on_arrival));
    expect_failure({"stats"}, "closed the connection");
}

TEST_F(NextMasterTest, EventsGoOnWhenTheNextMasterDiesToo) {
    serve({{{watching + "\n" + left(1)}, dies}, {}, {{watching + "\n" + left(2)}, dies}});
    const Finished events = command({"events"});
    EXPECT_EQ(events.status, EX_UNAVAILABLE);
    EXPECT_THAT(events.errors, EndsWith("has ended: see its log\n"));
    EXPECT_THAT(events.output, StartsWith(left(1) + "\n{"));
    EXPECT_THAT(events.output, EndsWith(R"("event":"reconnected","pid":7,"master":2})"
                                        "\n" +
                                        left(2) + "\n"));
    EXPECT_THAT(events.output, Not(HasSubstr(R"("master":1)")));
}

} // namespace
} // namespace chatserv::test
