// The log outlives an upgrade, and so does its name: what was said before can be sent to newcomers
// and to readers that come back.
#include "tests/upgrade/upgrade_test.h"

namespace chatserv::test {
namespace {

TEST_F(UpgradeTest, TheLogIsTheSame) {
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{.listen = {"127.0.0.1:0", "resume:127.0.0.1:0"},
                   .more = {"--control", socket(), "--workers", "2", "--replay", "2"},
                   .binary = installation_.chatserv()});
    const auto first = join();
    const auto second = join();
    first->send("one\ntwo\nthree\n");
    second->wait_for("three\n");
    Client before(loop_, server_->endpoint(1));
    before.send("resume 4\n");
    before.wait_for("three\n");
    const std::string answer = before.received().substr(0, before.received().find('\n') + 1);
    EXPECT_EQ(before.received(), answer + "two\nthree\n");
    installation_.install(other_version());
    expect_upgrade(usual, other);
    const auto newcomer = join();
    Client after(loop_, server_->endpoint(1));
    after.send("resume" + answer.substr(std::string("from").size()));
    after.wait_for("three\n");
    first->send("four\n");
    for (Client* const client : {newcomer.get(), second.get(), &before, &after})
        client->wait_for("four\n");
    EXPECT_EQ(newcomer->received(), "two\nthree\nfour\n");
    EXPECT_EQ(after.received(), answer + "two\nthree\nfour\n");
    EXPECT_EQ(before.received(), after.received());
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
