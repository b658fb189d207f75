// R9: a worker is killed before and after each system call that it makes while one of its users
// joins, receives, sends and leaves.
#include "tests/crash/kill_point_test.h"

#include <iostream>

namespace chatserv::test {
namespace {

class EverySystemCallTest : public KillPointTest {
protected:
    EverySystemCallTest() : KillPointTest(Victim::Unit::system_call, 3) {}

    void exchange(Victim& victim, std::uint64_t kill_at) override {
        victim.go_on(0);
        wait_for_rest(); // in its wait again, which the tracer has interrupted
        victim.go_on(kill_at);

        Client* const client =
            visitor(std::make_unique<Client>(loop_, server_->endpoint())).client.get();
        const std::string joined = " joined from " + client->address() + " on worker ";
        wait_until([&] { return server_->count(joined) == 1; }, "the visitor to join");
        EXPECT_EQ(server_->count(joined + "2"), 1U) << "not on the victim";
        wait_for_rest();

        say_and_wait(users_[0], "said on the other worker");
        say_and_wait(*visitor_, "said on this one by a visitor");
        say_and_wait(users_[1], "said on this one by another");

        client->half_close();
        wait_until([&] { return client->ended(); }, "the visitor to be disconnected");
        EXPECT_EQ(client->end_error(), 0);
        EXPECT_EQ(client->received(), visitor_->due) << "the visitor";
        visitor_left();
        wait_for_rest();
        say_and_wait(users_[0], "said when the visitor had left");
    }

    void say_and_wait(User& from, std::string_view words) {
        say(from, text(words));
        wait_until_all_have_what_is_due();
        wait_for_rest();
    }
};

TEST_F(EverySystemCallTest, NoClientNoticesADeathBeforeOrAfterIt) {
    constexpr std::uint64_t kills_min = 40; // otherwise it was not a whole exchange
    std::uint64_t kills = 0;
    Outcome last = round(++kills);
    while (last.reached && !HasFailure())
        last = round(++kills);
    if (HasFailure())
        return;
    --kills; // the last round had no kill
    std::cout << "an exchange of " << last.points / 2 << " system calls; " << kills
              << " workers killed, before and after each" << std::endl;
    EXPECT_GE(kills, kills_min);
    end();
}

} // namespace
} // namespace chatserv::test
