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
const std::string no_users = R"({"event":"users","users":[],"next":null})";
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

constexpr bool dies = true; // behind its answers

class NextMasterTest : public testing::Test {
protected:
    void serve(std::vector<StandInMasters::Master> masters) {
        masters_.emplace(loop_, socket(), std::move(masters));
    }
    std::string socket() const { return (folder_.path() / "control").string(); }
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

// They have changed nothing, but for a drain, which goes on.
TEST_F(NextMasterTest, OtherCommandsSayThatTheConnectionIsClosed) {
    serve({{}, {}, {}, {}});
    for (const std::vector<std::string>& words :
        std::vector<std::vector<std::string>>{{"stats"}, {"status"}, {"users"}, {"drain", "1"}})
        expect_failure(words, "closed the connection");
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
