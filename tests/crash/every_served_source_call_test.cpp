// R9 for sources: a worker is killed before and after each system call that it makes while a source
// that it serves speaks and is spoken to; and a master at those that it makes until a source is a
// client again, which its predecessor had lost.
#include "tests/crash/kill_point_test.h"
#include "tests/crash/master_kill_test.h"
#include "tests/harness/peer_server.h"
#include "tests/harness/seed.h"

#include <array>
#include <csignal>
#include <iostream>

namespace chatserv::test {
namespace {

class EveryServedSourceCallTest : public KillPointTest {
protected:
    EveryServedSourceCallTest() : KillPointTest(Victim::Unit::system_call, 2) {}

    // One source on each worker.
    void SetUp() override {
        options_ = {
            "--source", "talk:" + peers_[0].address(), "--source", "talk:" + peers_[1].address()};
        sources_ = peers_.size();
        KillPointTest::SetUp();
        if (IsSkipped())
            return;
        for (std::size_t i = 0; i < peers_.size(); ++i) {
            feeds_[i].connection = peers_[i].accept();
            const std::string address = peers_[i].address().substr(std::string("tcp:").size());
            if (server_->count(" joined from " + address + " on worker 2") == 1)
                served_by_victim_ = i;
        }
    }

    struct Feed {
        std::unique_ptr<PeerConnection> connection{};
        std::string due{};
    };

    void wait_until_feeds_have_what_is_due() {
        for (const Feed& feed : feeds_)
            wait_until(
                [&] {
                    return feed.connection->received().size() >= feed.due.size() ||
                           feed.connection->ended();
                },
                "all that is due to a source");
        wait_for_rest();
        for (const Feed& feed : feeds_)
            EXPECT_EQ(feed.connection->received(), feed.due);
    }

    void exchange(Victim& victim, std::uint64_t kill_at) override {
        victim.go_on(0);
        wait_for_rest();
        victim.go_on(kill_at);
        const std::string said = text("said by the source of the victim");
        feeds_[served_by_victim_].connection->send(said);
        for (User& user : users_)
            user.due += said;
        feeds_[1 - served_by_victim_].due += said;
        wait_until_all_have_what_is_due();
        wait_until_feeds_have_what_is_due();
        for (User& user : users_) {
            const std::string answer = text("said to the sources");
            say(user, answer);
            for (Feed& feed : feeds_)
                feed.due += answer;
            wait_until_all_have_what_is_due();
            wait_until_feeds_have_what_is_due();
        }
    }

    std::array<PeerServer, 2> peers_{PeerServer(loop_), PeerServer(loop_)};
    std::array<Feed, 2> feeds_{};
    std::size_t served_by_victim_ = 0;
};

TEST_F(EveryServedSourceCallTest, NobodyNoticesADeathBeforeOrAfterIt) {
    kill_at_every_point(20);
    for (const Feed& feed : feeds_)
        EXPECT_EQ(feed.connection->received(), feed.due);
}

class EverySourceMakingCallTest : public MasterKillTest {
protected:
    void SetUp() override {
        more_options_ = {"--source", peer_.address()};
        sources_ = 1;
        MasterKillTest::SetUp();
        if (!IsSkipped())
            feeds_.push_back(peer_.accept());
    }

    // Takes the connections that have come, and lets those go that have ended.
    void take_connections() {
        while (peer_.has_connection())
            feeds_.push_back(peer_.accept());
        std::erase_if(feeds_, [](const auto& feed) { return feed->ended(); });
    }

    // A master that is killed has made a connection that the next one closes.
    void wait_until_source_is_made() {
        do {
            wait_until(
                [&] {
                    take_connections();
                    return !feeds_.empty();
                },
                "the source's connection");
            wait_for_rest();
            take_connections();
        } while (feeds_.empty());
    }

    // The source ends, and its master dies before it tries again: the next one tries at once.
    // Returns whether that one had come to its point.
    bool round_of_making(std::uint64_t kill_at) {
        ++rounds_;
        std::string place;
        try {
            feeds_.clear();
            const std::string lost = "is not connected: its connection has ended";
            const std::size_t before = server_->count(lost);
            wait_until([&] { return server_->count(lost) > before; }, "the source's end");
            ++visits_;
            keeper_victim_.emplace(keeper(), Victim::Unit::system_call, [=, this](pid_t child) {
                successor_.emplace(child, Victim::Unit::system_call, Tracer::Begin::attached);
                successor_->go_on(kill_at);
                return false;
            });
            keeper_victim_->go_on(0);
            ::kill(master(), SIGKILL);
            wait_until([&] { return successor_.has_value(); }, "the next master");
            wait_until_source_is_made();
            EXPECT_EQ(feeds_.size(), 1U);
            const std::string said = text("said by the source");
            feeds_.back()->send(said);
            for (Person& person : people_)
                person.due += said;
            wait_until_all_have_what_is_due();
            wait_for_rest();
            reached_ = successor_->killed();
            points_ = successor_->points();
            place = successor_->place();
            if (!reached_)
                successor_->kill();
            wait_for_rest();
            take_connections();
            EXPECT_EQ(feeds_.size(), 1U);
            expect_that_nobody_noticed();
        } catch (const std::exception& failure) {
            ADD_FAILURE() << failure.what();
        }
        keeper_victim_.reset();
        successor_.reset();
        if (HasFailure())
            ADD_FAILURE() << "in round " << rounds_ << ", to be killed at point " << kill_at
                          << ", killed " << place;
        return reached_;
    }

    PeerServer peer_{loop_};
    std::vector<std::unique_ptr<PeerConnection>> feeds_{};
    bool reached_ = false;
    std::uint64_t points_ = 0;
};

// The points until it serves are other tests' as well, so by default some of all are taken, from
// one that CHATSERV_TEST_SEED chooses.
TEST_F(EverySourceMakingCallTest, NobodyNoticesThatItsMasterDies) {
    const bool all = number_from_environment("CHATSERV_TEST_ALL_TAKEOVERS", 0) == 1;
    (void)round_of_making(0);
    const std::uint64_t points = points_;
    const std::uint64_t wanted = all ? points : 30;
    ASSERT_GT(points, wanted / 2);
    std::uint64_t kills = 0;
    for (std::uint64_t i = 0; i < wanted && !HasFailure(); ++i)
        kills += round_of_making(1 + (base_seed() + i * points / wanted) % points) ? 1 : 0;
    std::cout << kills << " masters killed within " << points << " points" << std::endl;
    EXPECT_GE(kills, wanted / 2);
    stop_and_expect_nothing_left();
}

} // namespace
} // namespace chatserv::test
