// Users of every kind of door come through upgrades: those of UNIX sockets, of whom the kernel
// keeps no account, and those who only listen or only speak.
#include "tests/integration/netcat.h"
#include "tests/upgrade/upgrade_test.h"

#include <filesystem>

namespace chatserv::test {
namespace {

class DoorsUpgradeTest : public UpgradeTest {
protected:
    [[nodiscard]] std::string path() const { return folder_.path().string() + "/door"; }

    std::unique_ptr<Process> new_user_at_path() {
        auto user = std::make_unique<Process>(loop_, Command{{"nc", "-U", path()}});
        server_->wait_for_line(" joined from unix:pid=" + std::to_string(user->pid()));
        return user;
    }
};

TEST_F(DoorsUpgradeTest, NobodyIsLostAndNothingIsForgotten) {
    if (const std::string reason = why_unusable(loop_, openbsd_netcat()); !reason.empty())
        GTEST_SKIP() << reason;
    start_installed({"--listen", "listen:127.0.0.1:0", "--listen", "speak:127.0.0.1:0", "--listen",
        "unix:" + path(), "--stall-limit", "600"});
    server_->wait_for_line("listening on unix:" + path());
    const Endpoint listen(*parse_listening(server_->wait_for_line(", for users who only listen")));
    const Endpoint speak(*parse_listening(server_->wait_for_line(", for users who only speak")));
    const auto alice = new_user_at_path();
    const auto bob = new_user_at_path();
    const auto talker = join();
    Client listener(loop_, listen);
    server_->wait_for_join(listener.address());
    listener.half_close();
    Client speaker(loop_, speak);
    server_->wait_for_join(speaker.address());
    for (unsigned round = 0; round < 4; ++round) {
        const bool there = round % 2 == 0;
        installation_.install(there ? other_version() : usual_version());
        Process command(loop_, upgrade_command());
        stream_.go_on_during(loop_, command, speaker);
        EXPECT_EQ(command.wait_for_exit(), 0) << command.errors().text();
        const std::string words = "round " + std::to_string(round) + "\n";
        stream_.say(speaker, words);
        for (Process* const user : {alice.get(), bob.get()})
            user->wait_for_output(words);
        listener.wait_for(words);
        EXPECT_TRUE(std::filesystem::is_socket(path()));
        const auto newcomer = new_user_at_path();
        stream_.say(speaker, "for the newcomer\n");
        newcomer->wait_for_output("for the newcomer\n");
    }
    listener.wait_for_bytes(stream_.said().size());
    EXPECT_TRUE(listener.received() == stream_.said());
    EXPECT_TRUE(alice->output().text() == stream_.said().substr(0, alice->output().text().size()));
    EXPECT_EQ(speaker.received(), "");
    EXPECT_EQ(server_->count("in doubt"), 0U);
    EXPECT_FALSE(talker->ended());
    EXPECT_FALSE(alice->exited());
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_FALSE(std::filesystem::exists(path()));
}

} // namespace
} // namespace chatserv::test
