// chatserv as users see it through netcat.
#include "tests/harness/seed.h"
#include "tests/harness/server.h"
#include "tests/integration/netcat.h"

#include <csignal>
#include <gtest/gtest.h>
#include <memory>

namespace chatserv::test {
namespace {

class NetcatTest : public testing::TestWithParam<Netcat> {
protected:
    void SetUp() override {
        if (const std::string reason = why_unusable(loop_, GetParam()); !reason.empty())
            GTEST_SKIP() << reason;
        server_ = std::make_unique<Server>(loop_, ServerOptions{});
    }

    // A user that has joined when this returns.
    std::unique_ptr<Process> new_user(const std::vector<std::string>& options = {}) {
        const std::size_t joined = server_->count(" joined from ");
        auto user = std::make_unique<Process>(
            loop_, netcat_command(GetParam(), server_->endpoint(), options));
        server_->wait_for_line(" joined from ", joined + 1);
        return user;
    }

    std::vector<std::unique_ptr<Process>> new_users(std::size_t count) {
        std::vector<std::unique_ptr<Process>> users;
        while (users.size() < count)
            users.push_back(new_user());
        return users;
    }

    Loop loop_;
    std::unique_ptr<Server> server_;
};

INSTANTIATE_TEST_SUITE_P(Each, NetcatTest, testing::Values(openbsd_netcat(), ncat()),
    [](const auto& netcat) { return netcat.param.program == "ncat" ? "Ncat" : "OpenBsdNetcat"; });

TEST_P(NetcatTest, TwoUsersTalk) {
    const auto alice = new_user();
    const auto bob = new_user();
    alice->type("hello\n");
    bob->wait_for_output("hello\n");
    bob->type("hello yourself\n");
    alice->wait_for_output("hello yourself\n");
    EXPECT_EQ(alice->output().text(), "hello yourself\n");
    EXPECT_EQ(bob->output().text(), "hello\n");
}

TEST_P(NetcatTest, TenUsersTalkAndTheEleventhIsRefused) {
    const auto users = new_users(10);
    Process eleventh(loop_, netcat_command(GetParam(), server_->endpoint()));
    eleventh.wait_for_output("too many users!\n");
    server_->wait_for_line("table full: ");
    eleventh.end_input(); // OpenBSD's netcat keeps reading its input after the server has closed
    EXPECT_EQ(eleventh.wait_for_exit(), 0);
    EXPECT_EQ(eleventh.output().text(), "too many users!\n");

    std::string all_said;
    for (std::size_t i = 0; i < users.size(); ++i) {
        const std::string line = "this is user " + std::to_string(i) + "\n";
        all_said += line;
        users[i]->type(line);
        for (std::size_t other = 0; other < users.size(); ++other) {
            if (other != i)
                users[other]->wait_for_output(line);
        }
    }
    // Each heard all the others in the order in which they spoke, and not itself.
    for (std::size_t i = 0; i < users.size(); ++i) {
        const std::string own = "this is user " + std::to_string(i) + "\n";
        std::string others = all_said;
        others.erase(others.find(own), own.size());
        EXPECT_EQ(users[i]->output().text(), others) << "user " << i;
    }
}

// ncat sends end of file when its input ends (^D), OpenBSD's netcat with -N.
TEST_P(NetcatTest, LeavesWithEndOfFileAndTheNextTakesItsSlot) {
    const auto first = new_user();
    const auto leaver = new_user(GetParam().half_close_options);
    const auto third = new_user();
    leaver->type("bye\n");
    leaver->end_input();
    EXPECT_EQ(leaver->wait_for_exit(), 0) << "the server closes the connection";
    server_->wait_for_line("user 1 left: end of file");
    first->wait_for_output("bye\n");
    third->wait_for_output("bye\n");

    const auto next = new_user();
    server_->wait_for_line("user 1 joined from ", 2);
    next->type("I am new\n");
    first->wait_for_output("I am new\n");
    third->wait_for_output("I am new\n");
    EXPECT_EQ(next->output().text(), "") << "nothing from before it came";
}

// ^C, or the window closed.
TEST_P(NetcatTest, LeavesWhenInterrupted) {
    const auto first = new_user();
    auto leaver = new_user();
    leaver->signal(SIGINT);
    leaver->wait_for_exit();
    server_->wait_for_line("user 1 left: ");
    const auto next = new_user();
    server_->wait_for_line("user 1 joined from ", 2);
    first->type("welcome\n");
    next->wait_for_output("welcome\n");
}

// Without -N, ^D at OpenBSD's netcat only ends the user's input; netcat keeps receiving.
TEST(OpenBsdNetcatTest, ListensOnAfterControlD) {
    Loop loop;
    if (const std::string reason = why_unusable(loop, openbsd_netcat()); !reason.empty())
        GTEST_SKIP() << reason;
    Server server(loop, {});
    Process listener(loop, netcat_command(openbsd_netcat(), server.endpoint()));
    server.wait_for_line(" joined from ", 1);
    Process speaker(loop, netcat_command(openbsd_netcat(), server.endpoint()));
    server.wait_for_line(" joined from ", 2);
    listener.type("I am going to be silent\n");
    listener.end_input();
    speaker.wait_for_output("I am going to be silent\n");
    speaker.type("then listen\n");
    listener.wait_for_output("then listen\n");
    EXPECT_EQ(server.count(" left: "), 0U);
}

// Compares the bytes as they arrive, so that nine copies of the file need not be kept.
class FileReader {
public:
    FileReader(Process& user, const std::string& expected) : expected_(expected) {
        user.output().hand_to([this](std::string_view bytes) {
            same_ = same_ && expected_.compare(received_, bytes.size(), bytes) == 0;
            received_ += bytes.size();
        });
    }
    FileReader(const FileReader&) = delete;
    FileReader& operator=(const FileReader&) = delete;
    [[nodiscard]] bool has_all() const { return received_ >= expected_.size() || !same_; }
    [[nodiscard]] bool is_same() const { return same_ && received_ == expected_.size(); }

private:
    const std::string& expected_;
    std::size_t received_ = 0;
    bool same_ = true;
};

std::string random_bytes(std::size_t count) {
    std::string bytes;
    bytes.reserve(count);
    for (std::uint64_t block = 0; bytes.size() < count; ++block) {
        const std::uint64_t eight = mixed(base_seed() + block);
        bytes.append(reinterpret_cast<const char*>(&eight), sizeof(eight));
    }
    bytes.resize(count);
    return bytes;
}

TEST_P(NetcatTest, SendsALargeFileToNineOthers) {
    const std::string content = random_bytes(50 * 1000 * 1000);
    const auto users = new_users(9);
    std::vector<std::unique_ptr<FileReader>> readers;
    for (const auto& user : users)
        readers.push_back(std::make_unique<FileReader>(*user, content));

    Process sender(
        loop_, netcat_command(GetParam(), server_->endpoint(), GetParam().half_close_options));
    sender.type(content);
    sender.end_input();
    EXPECT_EQ(sender.wait_for_exit(), 0);
    EXPECT_EQ(sender.output().text(), "") << "nothing comes back to the sender";
    loop_.wait_until(
        [&] {
            return std::all_of(readers.begin(), readers.end(),
                [](const auto& reader) { return reader->has_all(); });
        },
        "nine users to have the file");
    for (const auto& reader : readers)
        EXPECT_TRUE(reader->is_same());
}

} // namespace
} // namespace chatserv::test
