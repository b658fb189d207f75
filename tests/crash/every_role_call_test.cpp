// R9 for users who only listen or only speak: a worker is killed before and after each system call
// that it makes while such a user joins, receives or sends, ends its input and leaves.
#include "tests/crash/kill_point_test.h"

#include <gmock/gmock.h>

namespace chatserv::test {
namespace {

class EveryRoleCallTest : public KillPointTest {
protected:
    EveryRoleCallTest() : KillPointTest(Victim::Unit::system_call, 3) {
        listen_ = {"127.0.0.1:0", "listen:127.0.0.1:0", "speak:127.0.0.1:0"};
    }

    void begin_round(Victim& victim, std::uint64_t kill_at) {
        victim.go_on(0);
        wait_for_rest(); // in its wait again, which the tracer has interrupted
        joins_ = server_->count(" joined from ");
        victim.go_on(kill_at);
    }

    // Its address does not tell it from a user of another listener: both can have the same port.
    void wait_for_join() {
        wait_until([&] { return server_->count(" joined from ") > joins_; }, "the visitor to join");
        const std::string line = server_->wait_for_line(" joined from ", joins_ + 1);
        EXPECT_THAT(line, testing::HasSubstr(" on worker 2, only to ")) << "not on the victim";
        wait_for_rest();
    }

    void say_and_wait(User& from, std::string_view words) {
        say(from, text(words));
        wait_until_all_have_what_is_due();
        wait_for_rest();
    }

private:
    std::size_t joins_ = 0; // when the round began
};

class EveryListenerCallTest : public EveryRoleCallTest {
    // The listener has ended its input and is reset, which nothing but its socket tells.
    void exchange(Victim& victim, std::uint64_t kill_at) override {
        begin_round(victim, kill_at);
        Client* const client =
            visitor(std::make_unique<Client>(loop_, server_->endpoint(1))).client.get();
        wait_for_join();
        client->send("nobody gets this");
        say_and_wait(users_[0], "said on the other worker");
        client->half_close();
        wait_until([&] { return client->is_sent(); }, "the listener's input to end");
        wait_for_rest();
        say_and_wait(users_[1], "said on this one when its input had ended");
        EXPECT_EQ(client->received(), visitor_->due) << "the visitor";
        const std::size_t left = server_->count(" left: ");
        client->reset();
        wait_until([&] { return server_->count(" left: ") > left; }, "the listener to leave");
        visitor_left();
        wait_for_rest();
        say_and_wait(users_[0], "said when the listener had left");
    }
};

class EverySpeakerCallTest : public EveryRoleCallTest {
    void exchange(Victim& victim, std::uint64_t kill_at) override {
        begin_round(victim, kill_at);
        User speaker{std::make_unique<Client>(loop_, server_->endpoint(2)), {}};
        wait_for_join();
        say_and_wait(users_[0], "said on the other worker");
        say_and_wait(speaker, "said by the speaker");
        say(speaker, text("its last words"));
        speaker.client->half_close();
        wait_until([&] { return speaker.client->ended(); }, "the speaker to be disconnected");
        EXPECT_EQ(speaker.client->end_error(), 0);
        EXPECT_EQ(speaker.client->received(), "");
        wait_for_rest();
        visitor_left();
        say_and_wait(users_[1], "said when the speaker had left");
    }
};

TEST_F(EveryListenerCallTest, NoClientNoticesADeathBeforeOrAfterIt) {
    kill_at_every_point(20);
}

TEST_F(EverySpeakerCallTest, NoClientNoticesADeathBeforeOrAfterIt) {
    kill_at_every_point(20);
}

} // namespace
} // namespace chatserv::test
