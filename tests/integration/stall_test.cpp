// R7, lossless or disconnected: readers that do not read, and what the other clients notice.
#include "tests/integration/server_test.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

// In seconds. On a busy machine the test process may get no processor for a while; a client that it
// reads for must not be disconnected as stalled because of that.
constexpr const char* limit = "2";

class StallTest : public ServerTest {
protected:
    // Prints a short message on failure: googletest would compute a diff of these long texts line
    // by line.
    static void expect_received(const Client& client, const std::string& text) {
        const std::string& got = client.received();
        const auto differs = std::mismatch(got.begin(), got.end(), text.begin(), text.end()).first;
        EXPECT_TRUE(got == text) << "received " << got.size() << " bytes of " << text.size()
                                 << ", wrong from " << differs - got.begin();
    }

    static bool is_beginning_of(const std::string& beginning, const std::string& whole) {
        return whole.compare(0, beginning.size(), beginning) == 0;
    }

    // Lets a paused client read a little, some 2 KB at a time and ten times a second at the most,
    // until `over`.
    void trickle(Client& client, const std::function<bool()>& over) {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point give_up = Clock::now() + patience;
        while (!over()) {
            if (Clock::now() > give_up)
                throw std::runtime_error("the reader drained nothing");
            client.resume();
            loop_.turn(std::chrono::milliseconds(0));
            client.pause();
            const Clock::time_point next = Clock::now() + std::chrono::milliseconds(100);
            while (Clock::now() < next && !over())
                loop_.turn(std::chrono::milliseconds(10));
        }
    }

    // Much more than the smallest log and TCP's buffers.
    const std::string much_ = numbered_lines(8'000'000);
};

TEST_F(StallTest, DisconnectsAStalledReaderWhileTheOthersReceiveEverything) {
    start({"--log-size", "64K", "--stall-limit", limit});
    const auto sender = join();
    const auto first = join();
    const auto stalled = join_paused();
    const auto second = join();
    sender->send(much_);
    server_->wait_for_line("user 2 left: stalled");
    first->wait_for_bytes(much_.size());
    second->wait_for_bytes(much_.size());
    expect_received(*first, much_);
    expect_received(*second, much_);

    stalled->resume();
    stalled->wait_for_end();
    EXPECT_LT(stalled->received().size(), much_.size());
    EXPECT_TRUE(is_beginning_of(stalled->received(), much_)) << "it never skips anything";
    EXPECT_EQ(server_->count(" left: "), 1U);
}

// Their limits run at the same time: ten of them cost little more than one.
TEST_F(StallTest, DisconnectsTenStalledReadersTogether) {
    start({"--users", "12", "--log-size", "64K", "--stall-limit", limit});
    const auto sender = join();
    const auto reader = join();
    std::vector<std::unique_ptr<Client>> stalled;
    while (stalled.size() < 10)
        stalled.push_back(join_paused());
    sender->send(much_);
    server_->wait_for_line(" left: stalled", 1);
    const auto begin = std::chrono::steady_clock::now();
    server_->wait_for_line(" left: stalled", 10);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
    reader->wait_for_bytes(much_.size());
    expect_received(*reader, much_);
    EXPECT_EQ(server_->count(" left: "), 10U);
}

// The slot of a disconnected client is free like any other.
TEST_F(StallTest, GivesTheSlotOfAStalledReaderToTheNext) {
    start({"--log-size", "64K", "--stall-limit", limit});
    const auto sender = join();
    const auto stalled = join_paused();
    sender->send(much_);
    server_->wait_for_line("user 1 left: stalled");
    const auto next = join();
    server_->wait_for_line("user 1 joined from " + next->address());
    loop_.wait_until([&] { return sender->is_sent(); }, "the sender to have sent everything");
    sender->send("the end");
    next->wait_for("the end");
}

// A reader that takes a few bytes now and then delays the others no longer than one that takes
// none.
TEST_F(StallTest, DisconnectsAReaderThatDrainsTooSlowly) {
    start({"--log-size", "64K", "--stall-limit", limit});
    const auto sender = join();
    const auto reader = join();
    const auto trickling = join_paused();
    sender->send(much_);
    trickle(*trickling, [&] { return server_->count("user 2 left: stalled") == 1; });
    reader->wait_for_bytes(much_.size());
    expect_received(*reader, much_);
    EXPECT_GT(trickling->received().size(), 0U);
    EXPECT_TRUE(is_beginning_of(trickling->received(), much_));
}

// A reader that reads as fast as --min-drain asks for is waited for, through many stall limits.
TEST_F(StallTest, WaitsForAReaderThatDrainsEnough) {
    start({"--log-size", "64K", "--stall-limit", "1", "--min-drain", "100"});
    const auto sender = join();
    const auto slow = join_paused();
    sender->send(much_);

    Server clock(loop_,
        {Program::chatserv, {"127.0.0.1:0"}, {"--log-size", "64K", "--stall-limit", "4"}, {}});
    Client blocked_sender(loop_, clock.endpoint());
    Client blocking(loop_, clock.endpoint(), 2048);
    clock.wait_for_join(blocking.address());
    blocking.pause();
    blocked_sender.send(much_);
    trickle(*slow, [&] { return clock.count(" left: stalled") == 1; });

    EXPECT_FALSE(sender->is_sent()) << "it was not waited for at all";
    EXPECT_EQ(server_->count(" left: "), 0U);
    slow->resume();
    slow->wait_for_bytes(much_.size());
    expect_received(*slow, much_);
}

TEST_F(StallTest, DisconnectsAStalledReaderAtOnceUnderTheDisconnectPolicy) {
    start({"--log-size", "2M", "--stall-limit", "3600", "--slow-policy", "disconnect"});
    const auto sender = join();
    const auto reader = join();
    const auto stalled = join_paused();
    constexpr std::size_t half_a_log = 1'000'000; // the other reader is never further behind
    for (std::size_t sent = 0; sent < much_.size(); sent += half_a_log) {
        sender->send(std::string_view(much_).substr(sent, half_a_log));
        reader->wait_for_bytes(std::min(sent + half_a_log, much_.size()));
    }
    server_->wait_for_line("user 2 left: too slow: it was a whole log behind");
    expect_received(*reader, much_);
    EXPECT_EQ(server_->count(" left: "), 1U);

    stalled->resume();
    stalled->wait_for_end();
    EXPECT_TRUE(is_beginning_of(stalled->received(), much_));
}

// A client that is behind but blocks no other stays connected. A second server, where a reader does
// block, shows that the limit has passed twice.
TEST_F(StallTest, KeepsAReaderWhoseBacklogFitsIntoTheLog) {
    start({"--log-size", "16M", "--stall-limit", "0.5"});
    const auto sender = join();
    const auto witness = join();
    const auto behind = join_paused();
    sender->send(much_);
    witness->wait_for_bytes(much_.size());

    Server clock(loop_,
        {Program::chatserv, {"127.0.0.1:0"}, {"--log-size", "64K", "--stall-limit", "1.5"}, {}});
    Client blocked_sender(loop_, clock.endpoint());
    Client blocking(loop_, clock.endpoint(), 2048);
    clock.wait_for_join(blocking.address());
    blocking.pause();
    blocked_sender.send(much_);
    clock.wait_for_line(" left: stalled");

    EXPECT_EQ(server_->count(" left: "), 0U);
    behind->resume();
    behind->wait_for_bytes(much_.size());
    expect_received(*behind, much_);
}

// A sender that fills the log is not read meanwhile. It must not count as stalled for that.
TEST_F(StallTest, DoesNotDisconnectTheSender) {
    start({"--log-size", "64K", "--stall-limit", limit});
    const auto sender = join();
    const auto stalled = join_paused();
    const auto reader = join();
    sender->send(much_);
    server_->wait_for_line(" left: stalled");
    reader->wait_for_bytes(much_.size());
    reader->send("and you?");
    sender->wait_for("and you?");
    EXPECT_EQ(server_->count("user 0 left"), 0U);
}

} // namespace
} // namespace chatserv::test
