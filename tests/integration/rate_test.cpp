// --max-rate: a client that sends faster is read more slowly, and no other client notices.
#include "tests/integration/stats_query.h"

#include <algorithm>
#include <csignal>

namespace chatserv::test {
namespace {

using Clock = std::chrono::steady_clock;

class RateTest : public StatsServerTest {
protected:
    // The digits and line ends of the text; words_of() returns everything else.
    static std::string digits_of(const std::string& text) {
        std::string digits;
        std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
            [](char c) { return c == '\n' || (c >= '0' && c <= '9'); });
        return digits;
    }
    static std::string words_of(const std::string& text) {
        std::string words;
        std::copy_if(text.begin(), text.end(), std::back_inserter(words),
            [](char c) { return c != '\n' && (c < '0' || c > '9'); });
        return words;
    }

    static void expect_same(const std::string& got, const std::string& wanted) {
        const auto differs = std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end());
        EXPECT_TRUE(got == wanted) << got.size() << " bytes of " << wanted.size()
                                   << ", different from " << differs.first - got.begin();
    }

    const std::string line_ = "you are sending too fast: 100000 bytes a second are read!\n";
};

TEST_F(RateTest, ThrottlesAFloodAndNoOtherClient) {
    start_with_control({"--max-rate", "100000", "--workers", "2"});
    const auto begin = Clock::now();
    const auto flooder = join();
    const auto listener = join();
    const auto talker = join(); // served by the same worker as the flooder
    const std::string flood = numbered_lines(50'000'000); // many minutes at this rate
    flooder->send(flood);
    server_->wait_for_line("user 0 is sending faster than 100000 bytes a second");
    flooder->wait_for(line_);
    std::string said;
    for (int i = 0; i < 20; ++i) {
        const std::string words(1, static_cast<char>('a' + i));
        talker->send(words);
        said += words;
        loop_.wait_until(
            [&] { return words_of(listener->received()).size() == said.size(); }, "the talker");
        flooder->wait_for(line_ + said);
    }
    EXPECT_EQ(words_of(listener->received()), said);
    // The rate still applies.
    listener->wait_for_bytes(250'000);
    const std::string digits = digits_of(listener->received());
    EXPECT_EQ(flood.compare(0, digits.size(), digits), 0);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    EXPECT_LE(static_cast<double>(digits.size()), 100'000 + seconds * 100'000);

    EXPECT_EQ(flooder->received(), line_ + said) << "reported once";
    EXPECT_EQ(server_->count("is sending faster"), 1U);
    EXPECT_EQ(stats()["throttled"], 1);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(RateTest, RelaysEverythingBeforeTheEndOfFile) {
    start_with_control({"--max-rate", "100000"});
    const auto flooder = join();
    const auto first = join();
    const auto second = join();
    const std::string flood = numbered_lines(300'000);
    flooder->send(flood);
    flooder->half_close();
    flooder->wait_for_end();
    server_->wait_for_line("user 0 left: end of file");
    for (auto* const listener : {first.get(), second.get()}) {
        listener->wait_for_bytes(flood.size());
        expect_same(listener->received(), flood);
    }
    EXPECT_EQ(flooder->received(), line_);
    EXPECT_EQ(flooder->end_error(), 0);
}

TEST_F(RateTest, SendsNoNoticeToClientsBelowTheRate) {
    start_with_control({"--max-rate", "100000"});
    const auto talker = join();
    const auto listener = join();
    const std::string text = numbered_lines(90'000);
    talker->send(text);
    listener->wait_for_bytes(text.size());
    listener->send("the end");
    talker->wait_for("the end");
    EXPECT_EQ(talker->received(), "the end");
    EXPECT_EQ(stats()["throttled"], 0);
}

// Its bytes wait in its socket, whichever worker is to read them.
TEST_F(RateTest, LosesNothingWhenAWorkerDies) {
    start_with_control({"--max-rate", "100000", "--workers", "2"});
    const auto flooder = join();
    const auto listener = join();
    const std::string flood = numbered_lines(700'000);
    flooder->send(flood);
    flooder->half_close();
    flooder->wait_for(line_);
    for (std::size_t deaths = 1; deaths <= 3; ++deaths) {
        const std::size_t had = listener->received().size();
        ::kill(server_->worker_pids().at(0), SIGKILL);
        server_->wait_for_line("worker 1 taken over by pid", deaths);
        // A new worker begins with a full bucket, so there is something to be read at once.
        listener->wait_for_bytes(std::min(had + 50'000, flood.size()));
    }
    listener->wait_for_bytes(flood.size());
    expect_same(listener->received(), flood);
    flooder->wait_for_end();
    EXPECT_EQ(flooder->received(), line_);
    EXPECT_EQ(server_->count("is sending faster"), 1U);
    EXPECT_EQ(stats()["throttled"], 1);
}

// Not in the middle of its backlog.
TEST_F(RateTest, SendsTheNoticeToASlowReaderOnceItHasCaughtUp) {
    start_with_control({"--max-rate", "4000000", "--log-size", "16M", no_stall_limit});
    const auto behind = join_paused();
    const auto talker = join();
    const auto witness = join();
    const std::string much = numbered_lines(3'900'000);
    talker->send(much);
    witness->wait_for_bytes(much.size());
    const std::string flood(6'000'000, 'f');
    behind->send(flood);
    server_->wait_for_line("user 0 is sending faster than 4000000 bytes a second");
    witness->wait_for_bytes(much.size() + flood.size());
    behind->resume();
    const std::string line = "you are sending too fast: 4000000 bytes a second are read!\n";
    behind->wait_for(line);
    expect_same(behind->received(), much + line);
}

TEST_F(RateTest, DoesNotDelayTheStop) {
    start_with_control({"--max-rate", "100000", no_stall_limit});
    const auto flooder = join();
    const auto listener = join();
    const std::string flood = numbered_lines(50'000'000);
    flooder->send(flood);
    flooder->wait_for(line_);
    EXPECT_EQ(server_->stop(), 0);
    listener->wait_for_end();
    EXPECT_EQ(flood.compare(0, listener->received().size(), listener->received()), 0);
    EXPECT_EQ(server_->count(" left: server stopped"), 2U);
}

} // namespace
} // namespace chatserv::test
