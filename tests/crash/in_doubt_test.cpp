// The one client in doubt: what happens to it without the kernel's account, and that the tests of
// takeovers notice a successor that trusts the stored cursors instead.
#include "tests/crash/crash_scene.h"

#include <gmock/gmock.h>

namespace chatserv::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// The control of the crash points' tests: the same two deaths, of which one must lose bytes here
// and the other must repeat some.
class TrustingTest : public CrashScene {
protected:
    void SetUp() override {
        open(build_named("CHATSERV_STALE_CURSORS"), {"--max-rate", std::to_string(max_rate_bytes)});
    }

    std::string read_by(std::size_t person) const {
        return people_[person].client->received().substr(people_[person].expected.size());
    }
};

TEST_F(TrustingTest, LosesBytesThatWereReadButNotRecorded) {
    arm_victim(CrashPoint::received);
    people_[0].client->send("lost;");
    server_->wait_for_line("worker 1 taken over by pid ");
    people_[0].client->send("the end;");
    people_[1].client->wait_for("the end;");
    EXPECT_EQ(read_by(1), "the end;");
}

TEST_F(TrustingTest, RepeatsBytesThatWereWrittenButNotRecorded) {
    arm_victim(CrashPoint::written);
    people_[1].client->send("repeated;");
    server_->wait_for_line("worker 1 taken over by pid ");
    people_[1].client->send("the end;");
    people_[0].client->wait_for("the end;");
    people_[2].client->wait_for("the end;");
    // The victim may have been about to record its last write of the earlier text: its successor
    // then repeats that write.
    EXPECT_THAT((std::vector{read_by(0), read_by(2)}),
        UnorderedElementsAre("repeated;the end;",
            AnyOf("repeated;repeated;the end;", "3 speaks before;repeated;the end;")));
}

TEST_F(TrustingTest, RepeatsANoticeThatWasSentButNotRecorded) {
    arm_victim(CrashPoint::notice_sent);
    people_[0].client->send(flood());
    server_->wait_for_line("worker 1 taken over by pid ");
    people_[0].client->wait_for_bytes(people_[0].expected.size() + 2 * too_fast_line().size());
    EXPECT_EQ(read_by(0), too_fast_line() + too_fast_line());
}

// As on a system without the account: this client is disconnected, and the log records the reason.
class UnaccountedTest : public CrashScene {
protected:
    void SetUp() override {
        // Without the account the server cannot know when a client has received everything, so a
        // stop takes the whole limit.
        open(build_named("CHATSERV_NO_ACCOUNT"),
            {"--stall-limit", "0.5", "--max-rate", std::to_string(max_rate_bytes)});
    }

    // All but one of these are as they were.
    void expect_that_only(std::size_t person, const std::string& said_by_3) {
        server_->wait_for_line("worker 1 taken over by pid ");
        people_[person].client->wait_for_end();
        EXPECT_THAT(
            server_->wait_for_line(" left: "), HasSubstr("left: in doubt: its worker died"));
        for (std::size_t i = 0; i < people_.size(); ++i) {
            if (i == person || i == 3)
                continue;
            people_[i].expected += said_by_3;
            people_[i].client->wait_for_bytes(people_[i].expected.size());
        }
        everyone_speaks("after");
        EXPECT_EQ(server_->count(" left: "), 1U);
        for (std::size_t i = 0; i < people_.size(); ++i)
            if (i != person) {
                EXPECT_EQ(people_[i].client->received(), people_[i].expected) << "user " << i;
            }
        stop();
    }
};

TEST_F(UnaccountedTest, IsReportedAtTheStart) {
    EXPECT_THAT(server_->wait_for_line("no kernel account of connections"),
        HasSubstr("this system keeps none"));
    stop();
}

TEST_F(UnaccountedTest, DisconnectsTheClientThatWasBeingRead) {
    arm_victim(CrashPoint::received);
    people_[0].client->send("?");
    expect_that_only(0, "");
}

TEST_F(UnaccountedTest, DisconnectsTheClientThatWasBeingWrittenTo) {
    arm_victim(CrashPoint::written);
    people_[3].client->send("hello from 3;");
    loop_.wait_until([&] { return server_->count(" left: ") == 1; }, "one to be in doubt");
    const std::size_t written = parse_left(server_->wait_for_line(" left: "))->slot;
    ASSERT_EQ(written % 2, 0U) << "served by the victim";
    expect_that_only(written, "hello from 3;");
}

TEST_F(UnaccountedTest, DisconnectsTheClientThatWasBeingSentANotice) {
    arm_victim(CrashPoint::notice_sent);
    people_[0].client->send(flood());
    server_->wait_for_line("worker 1 taken over by pid ");
    people_[0].client->wait_for_end();
    EXPECT_THAT(server_->wait_for_line(" left: "), HasSubstr("user 0 left: in doubt"));
    EXPECT_EQ(people_[0].client->received(), people_[0].expected + too_fast_line());
    // The bytes read from it were relayed to every other client.
    people_[1].client->send("that was all;");
    people_[3].client->wait_for("that was all;");
    std::string relayed = people_[3].client->received().substr(people_[3].expected.size());
    relayed.erase(relayed.find("that was all;"));
    EXPECT_GE(relayed.size(), max_rate_bytes);
    EXPECT_TRUE(flood().compare(0, relayed.size(), relayed) == 0);
    for (const std::size_t person : {2U, 3U})
        people_[person].expected += relayed + "that was all;";
    people_[1].expected += relayed;
    everyone_speaks("after");
    for (const std::size_t person : {1U, 2U, 3U})
        EXPECT_EQ(people_[person].client->received(), people_[person].expected);
    EXPECT_EQ(server_->count(" left: "), 1U);
    stop();
}

TEST_F(UnaccountedTest, DisconnectsNoClientWhenNoneWasBeingServed) {
    arm_victim(CrashPoint::not_rung);
    everyone_speaks("meanwhile");
    server_->wait_for_line("worker 1 taken over by pid ");
    everyone_speaks("after");
    expect_that_nobody_noticed();
    stop();
}

} // namespace
} // namespace chatserv::test
