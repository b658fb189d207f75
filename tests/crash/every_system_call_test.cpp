// R9: a worker is killed before and after each system call that it makes while one of its users
// joins, receives, sends and leaves.
#include "tests/crash/kill_point_test.h"

namespace chatserv::test {
namespace {

class EveryCallTest : public KillPointTest {
protected:
    explicit EveryCallTest(std::vector<std::string> options = {}) :
        KillPointTest(Victim::Unit::system_call, 3, 2, std::move(options)) {}

    // The victim serves the visitor.
    Client* let_a_visitor_in(Victim& victim, std::uint64_t kill_at) {
        victim.go_on(0);
        wait_for_rest(); // in its wait again, which the tracer has interrupted
        victim.go_on(kill_at);

        Client* const client =
            visitor(std::make_unique<Client>(loop_, server_->endpoint())).client.get();
        const std::string joined = " joined from " + client->address() + " on worker ";
        wait_until([&] { return server_->count(joined) == 1; }, "the visitor to join");
        EXPECT_EQ(server_->count(joined + "2"), 1U) << "not on the victim";
        wait_for_rest();
        return client;
    }

    // The visitor ends its side, by which `rest` becomes due to the others.
    void see_off(Client* client, const std::string& rest) {
        client->half_close();
        wait_until([&] { return client->ended(); }, "the visitor to be disconnected");
        EXPECT_EQ(client->end_error(), 0);
        EXPECT_EQ(client->received(), visitor_->due) << "the visitor";
        visitor_left();
        for (User& user : users_)
            user.due += rest;
        wait_for_rest();
    }
};

class EverySystemCallTest : public EveryCallTest {
protected:
    void exchange(Victim& victim, std::uint64_t kill_at) override {
        Client* const client = let_a_visitor_in(victim, kill_at);
        say_and_wait(users_[0], "said on the other worker");
        say_and_wait(*visitor_, "said on this one by a visitor");
        say_and_wait(users_[1], "said on this one by another");
        see_off(client, "");
        say_and_wait(users_[0], "said when the visitor had left");
    }

    void say_and_wait(User& from, std::string_view words) {
        say(from, text(words));
        wait_until_all_have_what_is_due();
        wait_for_rest();
    }
};

// With whole lines and names: lines are unfinished when the victim dies, and a visitor gives its
// name and leaves with a line that it has not ended.
class EverySystemCallOfLinesTest : public EveryCallTest {
protected:
    EverySystemCallOfLinesTest() : EveryCallTest({"--framing", "line", "--prefix", "name"}) {}

    void SetUp() override {
        EveryCallTest::SetUp();
        if (IsSkipped())
            return;
        for (std::size_t i = 0; i < users_.size(); ++i)
            users_[i].client->send(name_of(i) + "\n");
        wait_for_rest();
    }

    void exchange(Victim& victim, std::uint64_t kill_at) override {
        Client* const client = let_a_visitor_in(victim, kill_at);
        client->send("visitor\nsaid in ");
        wait_for_rest();
        say_line(0, "said on the other worker");
        say(*visitor_, "pieces\nthe re", "visitor: said in pieces\n");
        wait_until_all_have_what_is_due();
        wait_for_rest();
        say_line(1, "said on this one by another");
        client->send("st");
        see_off(client, "visitor: the rest\n");
        say_line(0, "said when the visitor had left");
    }

    static std::string name_of(std::size_t user) { return "user " + std::to_string(user); }
    void say_line(std::size_t user, std::string_view words) {
        say(users_[user], text(words), name_of(user) + ": " + text(words));
        wait_until_all_have_what_is_due();
        wait_for_rest();
    }
};

TEST_F(EverySystemCallTest, NoClientNoticesADeathBeforeOrAfterIt) {
    kill_at_every_point(40);
}

TEST_F(EverySystemCallOfLinesTest, NoClientNoticesADeathBeforeOrAfterIt) {
    kill_at_every_point(40);
}

} // namespace
} // namespace chatserv::test
