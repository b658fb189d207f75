// The relay, byte for byte, with clients that netcat cannot be made to be.
#include "tests/integration/server_test.h"

#include <numeric>

namespace chatserv::test {
namespace {

class RelayTest : public ServerTest {};

TEST_F(RelayTest, DeliversEveryByteUnchanged) {
    start();
    const auto sender = join();
    const auto receiver = join();
    std::string all_bytes(256, '\0');
    std::iota(all_bytes.begin(), all_bytes.end(), '\0');
    sender->send(all_bytes);
    sender->send("\xff\xfe\xc0\x80 no UTF-8, no newline");
    const std::string expected = all_bytes + "\xff\xfe\xc0\x80 no UTF-8, no newline";
    receiver->wait_for_bytes(expected.size());
    EXPECT_EQ(receiver->received(), expected);
}

// The answer arrives after anything that would have been returned.
TEST_F(RelayTest, ReturnsNothingToTheSender) {
    start();
    const auto sender = join();
    const auto other = join();
    sender->send("anybody?\n");
    other->wait_for("anybody?\n");
    other->send("yes\n");
    sender->wait_for("yes\n");
    EXPECT_EQ(sender->received(), "yes\n");
    EXPECT_EQ(other->received(), "anybody?\n");
}

TEST_F(RelayTest, DeliversNothingFromBeforeAClientJoined) {
    start();
    const auto sender = join();
    const auto witness = join();
    sender->send("before");
    witness->wait_for("before");
    const auto late = join();
    sender->send("after");
    late->wait_for("after");
    EXPECT_EQ(late->received(), "after");
}

TEST_F(RelayTest, ConnectsUsersOfSeveralListeners) {
    std::vector<std::string> listen{"127.0.0.1:0", "127.0.0.1:0"};
    if (has_ipv6())
        listen.emplace_back("[::1]:0");
    start_on(listen);
    const auto speaker = join(0);
    const auto listener = join(listen.size() - 1);
    speaker->send("through another port");
    listener->wait_for("through another port");
}

TEST_F(RelayTest, SpreadsUsersOverWorkers) {
    start({"--workers", "3"});
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<int> users_of_worker(4);
    for (int i = 0; i < 9; ++i) {
        clients.push_back(std::make_unique<Client>(loop_, server_->endpoint()));
        ++users_of_worker.at(
            static_cast<std::size_t>(server_->wait_for_join(clients.back()->address()).worker));
    }
    EXPECT_EQ(users_of_worker, (std::vector<int>{0, 3, 3, 3}));
}

TEST_F(RelayTest, GivesTheLowestFreeSlot) {
    start();
    std::vector<std::unique_ptr<Client>> clients;
    for (unsigned slot = 0; slot < 10; ++slot) {
        clients.push_back(std::make_unique<Client>(loop_, server_->endpoint()));
        EXPECT_EQ(server_->wait_for_join(clients.back()->address()).slot, slot);
    }
    for (const unsigned slot : {7U, 2U}) {
        clients[slot]->half_close();
        clients[slot]->wait_for_end();
        server_->wait_for_line("user " + std::to_string(slot) + " left: end of file");
    }
    for (const unsigned slot : {2U, 7U}) {
        clients.push_back(std::make_unique<Client>(loop_, server_->endpoint()));
        EXPECT_EQ(server_->wait_for_join(clients.back()->address()).slot, slot);
    }
}

TEST_F(RelayTest, RefusesClientsWhenTheTableIsFull) {
    start({"--users", "2"});
    const auto first = join();
    const auto second = join();
    for (int i = 0; i < 50; ++i) {
        Client refused(loop_, server_->endpoint());
        refused.wait_for_end();
        EXPECT_EQ(refused.received(), "too many users!\n");
        EXPECT_EQ(refused.end_error(), 0);
        server_->wait_for_line("table full: " + refused.address() + " turned away");
    }
    first->send("alone again");
    second->wait_for("alone again");
    EXPECT_EQ(second->received(), "alone again");
}

// As `echo hello | nc -N` does: it connects, sends and closes before the server accepts.
TEST_F(RelayTest, RelaysBytesSentBeforeTheConnectionIsAccepted) {
    start();
    const auto receiver = join();
    std::string expected;
    for (int i = 0; i < 30; ++i) {
        const std::string said = "short visit " + std::to_string(i) + "\n";
        Client visitor(loop_, server_->endpoint());
        visitor.send(said);
        visitor.half_close();
        visitor.wait_for_end();
        EXPECT_EQ(visitor.end_error(), 0);
        expected += said;
    }
    receiver->wait_for("short visit 29\n");
    EXPECT_EQ(receiver->received(), expected);
}

// R5: end of file closes one direction; earlier text of the others still arrives.
TEST_F(RelayTest, DeliversTheBacklogToAClientThatHalfClosed) {
    start({large_log, no_stall_limit});
    const auto sender = join();
    const auto witness = join();
    const auto leaver = join(0, 4096);
    leaver->pause();
    const std::string backlog(3'000'000, 'b');
    sender->send(backlog);
    witness->wait_for_bytes(backlog.size());
    leaver->half_close();
    leaver->resume();
    leaver->wait_for_end();
    EXPECT_EQ(leaver->end_error(), 0);
    EXPECT_EQ(leaver->received().size(), backlog.size());
    server_->wait_for_line("user 2 left: end of file");
}

TEST_F(RelayTest, SurvivesResetsAtRandomInstants) {
    start();
    const auto first = join();
    const auto second = join();
    for (int i = 0; i < 50; ++i) {
        Client rude(loop_, server_->endpoint());
        if (i % 2 == 0)
            rude.send("rude");
        for (int turn = 0; turn < i % 5; ++turn)
            loop_.turn(std::chrono::milliseconds(1));
        rude.reset();
    }
    first->send("still there?");
    second->wait_for("still there?");
    second->send("of course");
    first->wait_for("of course");
}

// The log is much smaller than the text. The server pauses the senders, and no client loses a byte.
TEST_F(RelayTest, PausesSendersForASlowReader) {
    start({"--log-size", "64K", no_stall_limit});
    const auto sender = join();
    const auto fast = join();
    const auto slow = join(0, 2048);
    slow->pause();
    const std::string much(8'000'000, 'm');
    sender->send(much);
    loop_.wait_until([&] { return !fast->received().empty(); }, "the fast reader to have a part");
    slow->resume();
    slow->wait_for_bytes(much.size());
    fast->wait_for_bytes(much.size());
    EXPECT_EQ(slow->received(), much);
    EXPECT_EQ(fast->received(), much);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

} // namespace
} // namespace chatserv::test
