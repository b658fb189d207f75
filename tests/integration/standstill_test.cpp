// The server, or a part of it, stands still and continues: no time limit counts that time. The
// tests hold the server stopped for a time, since a standstill is their subject; everything
// afterwards is waited for.
#include "tests/harness/seed.h"
#include "tests/integration/server_test.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>

namespace chatserv::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class StandstillTest : public ServerTest {
protected:
    // TCP has little in store for a reader while the server stands still.
    static constexpr int reader_buffer_bytes = 8192;

    // Reads at a steady pace, three times as fast as --min-drain demands.
    class SteadyReader {
    public:
        static constexpr const char* min_drain = "512K";

        SteadyReader(Loop& loop, Client& client) :
            loop_(loop), client_(client), begun_(Clock::now()) {}

        void read_for(Clock::duration time) {
            const auto end = Clock::now() + time;
            while (Clock::now() < end)
                turn();
        }
        // Throws std::runtime_error if the bytes do not arrive.
        void read_more(std::size_t bytes) {
            const std::size_t wanted = client_.received().size() + bytes;
            const auto end = Clock::now() + patience;
            while (client_.received().size() < wanted && !client_.ended()) {
                if (Clock::now() > end)
                    throw std::runtime_error("the reader received nothing");
                turn();
            }
        }
        // Forgets the time in which it could not read.
        void start_anew() {
            begun_ = Clock::now();
            offset_ = client_.received().size();
        }

    private:
        void turn() {
            constexpr double bytes_a_second = 3 * 512 * 1024;
            const std::chrono::duration<double> time = Clock::now() - begun_;
            const auto due = static_cast<std::size_t>(time.count() * bytes_a_second);
            if (client_.received().size() - offset_ < due)
                client_.resume();
            else
                client_.pause();
            loop_.turn(5ms);
        }

        Loop& loop_;
        Client& client_;
        Clock::time_point begun_;
        std::size_t offset_ = 0;
    };

    void stop_all() { ::kill(-server_->process().pid(), SIGSTOP); }
    void continue_all() { ::kill(-server_->process().pid(), SIGCONT); }

    // Stops the whole server for `time`; the clients of the test continue.
    void stand_still(Clock::duration time) {
        stop_all();
        turn_for(time);
        continue_all();
    }

    void turn_for(Clock::duration time) {
        const auto end = Clock::now() + time;
        while (Clock::now() < end)
            loop_.turn(10ms);
    }

    // `from` sends a line that `to` receives, twice, so that its worker has completed a pass of its
    // loop.
    void pass_on(Client& from, Client& to, const std::string& text) {
        for (const char* const end : {" (once);", " (twice);"}) {
            from.send(text + end);
            to.wait_for(text + end);
        }
    }

    static void expect_received(const Client& client, const std::string& text) {
        EXPECT_TRUE(client.received() == text)
            << "received " << client.received().size() << " bytes of " << text.size();
    }
};

TEST_F(StandstillTest, AReaderThatKeepsReadingIsNotStalled) {
    start({"--workers", "2", large_log, "--stall-limit", "1", "--min-drain",
        SteadyReader::min_drain});
    const std::string much = numbered_lines(20'000'000);
    const auto sender = join();
    const auto reader = join(0, reader_buffer_bytes);
    sender->send(much);
    SteadyReader steady(loop_, *reader);
    steady.read_more(500'000); // the log is full, and this reader blocks it
    stop_all();
    steady.read_for(4s);
    continue_all();
    steady.start_anew();
    steady.read_more(3'000'000);
    reader->resume();
    reader->wait_for_bytes(much.size());
    expect_received(*reader, much);
    EXPECT_EQ(server_->count(" left: "), 0U);
    server_->wait_for_line("the server stood still for ");
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(StandstillTest, AReaderThatKeepsReadingSurvivesManyRandomStandstills) {
    std::mt19937_64 random(mixed(base_seed() + 0x57a2));
    const auto up_to = [&](std::chrono::milliseconds from, std::chrono::milliseconds to) {
        return std::chrono::milliseconds(
            std::uniform_int_distribution<std::int64_t>(from.count(), to.count())(random));
    };
    start({"--workers", "2", large_log, "--stall-limit", "1", "--min-drain",
        SteadyReader::min_drain});
    const std::string much = numbered_lines(24'000'000);
    const auto sender = join();
    const auto reader = join(0, reader_buffer_bytes);
    sender->send(much);
    SteadyReader steady(loop_, *reader);
    for (int round = 0; round < 8; ++round) {
        steady.read_for(up_to(300ms, 700ms));
        stop_all();
        steady.read_for(up_to(50ms, 1200ms));
        continue_all();
        steady.start_anew();
    }
    steady.read_more(2'000'000);
    reader->resume();
    reader->wait_for_bytes(much.size());
    expect_received(*reader, much);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(StandstillTest, AReaderThatReadsNothingIsDisconnectedAfterwards) {
    start({"--workers", "2", "--log-size", "64K", "--stall-limit", "1"});
    const std::string much = numbered_lines(8'000'000);
    const auto sender = join();
    const auto stalled = join_paused();
    const auto reader = join();
    sender->send(much);
    turn_for(300ms);
    stand_still(1500ms);
    server_->wait_for_line("user 1 left: stalled");
    reader->wait_for_bytes(much.size());
    expect_received(*reader, much);
    EXPECT_EQ(server_->count(" left: "), 1U);
}

// Its worker is never there for long.
TEST_F(StandstillTest, AWorkerThatIsStoppedRepeatedlyDisconnectsAReaderThatReadsNothing) {
    start({"--workers", "1", "--spares", "0", "--log-size", "64K", "--stall-limit", "1",
        "--hang-limit", "60"});
    const auto sender = join();
    const auto stalled = join_paused();
    sender->send(numbered_lines(8'000'000));
    const pid_t worker = server_->worker_pids().at(0);
    const auto end = Clock::now() + patience;
    while (server_->count("user 1 left: stalled") == 0) {
        ASSERT_LT(Clock::now(), end);
        ::kill(worker, SIGSTOP);
        turn_for(200ms);
        ::kill(worker, SIGCONT);
        turn_for(50ms);
    }
}

TEST_F(StandstillTest, DoesNotCountAsIdleTime) {
    start({"--workers", "2", "--idle-timeout", "3"});
    const auto first = join();
    const auto second = join();
    pass_on(*first, *second, "before");
    pass_on(*second, *first, "before");
    stand_still(3200ms);
    pass_on(*first, *second, "after");
    pass_on(*second, *first, "after");
    EXPECT_EQ(server_->count(" left: "), 0U);
    server_->wait_for_line(" left: idle", 2); // but in the end they are
}

// The stopped worker is killed and replaced; the user of the other worker keeps sending.
TEST_F(StandstillTest, TheTimeOfAHungWorkerDoesNotCountAsIdleTime) {
    start({"--workers", "2", "--idle-timeout", "2", "--hang-limit", "3"});
    const auto first = join();
    const auto second = join();
    pass_on(*first, *second, "before");
    ::kill(server_->worker_pids().at(0), SIGSTOP);
    while (server_->count("worker 1 taken over by pid ") == 0) {
        second->send(".");
        loop_.turn(20ms);
    }
    turn_for(200ms); // the successor had time to look for idle clients
    pass_on(*second, *first, "after");
    pass_on(*first, *second, "after");
    EXPECT_EQ(server_->count(" left: "), 0U);
}

// Neither of two machines was there.
TEST_F(StandstillTest, AClosingClientReceivesItsBacklog) {
    start({"--workers", "2", large_log, "--stall-limit", "2"});
    const auto closing = join_paused();
    const auto first = join();
    const auto second = join();
    const std::string much = numbered_lines(3'000'000);
    first->send(much);
    second->wait_for_bytes(much.size());
    turn_for(500ms); // until its TCP connection is at rest and nothing arrives any more
    closing->half_close();
    pass_on(*second, *first, "it is closing");
    stand_still(2500ms);
    pass_on(*second, *first, "it is closing still");
    closing->resume();
    closing->wait_for_end();
    EXPECT_EQ(closing->end_error(), 0);
    EXPECT_TRUE(closing->received().compare(0, much.size(), much) == 0)
        << closing->received().size();
    server_->wait_for_line("user 0 left: end of file");
}

TEST_F(StandstillTest, AStoppingServerDeliversEveryBacklog) {
    start({"--workers", "2", large_log, "--stall-limit", "1"});
    const auto slow = join_paused();
    const auto sender = join();
    const auto reader = join();
    const std::string much = numbered_lines(3'000'000);
    sender->send(much);
    reader->wait_for_bytes(much.size());
    server_->process().signal(SIGTERM);
    server_->wait_for_line("SIGTERM: stopping");
    stand_still(4500ms); // longer than a stop may take
    slow->resume();
    slow->wait_for_end();
    EXPECT_EQ(slow->end_error(), 0);
    expect_received(*slow, much);
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_EQ(server_->count("the workers did not come to an end"), 0U);
    EXPECT_TRUE(server_->process().group_is_gone());
}

// In the midst of one: the spare that is to take over was stopped before.
TEST_F(StandstillTest, DoesNotCountInTheReportedTakeoverTime) {
    start({"--workers", "1", "--spares", "1", "--hang-limit", "60", "--log-level", "debug"});
    const auto client = join();
    const pid_t worker = server_->worker_pids().at(0);
    server_->wait_for_line("spare worker ready (pid ", 2);
    for (std::size_t i = 1; i <= 2; ++i) {
        const std::string line = server_->wait_for_line("spare worker ready (pid ", i);
        const pid_t pid = std::stoi(line.substr(line.find("(pid ") + 5));
        if (pid != worker)
            ::kill(pid, SIGSTOP);
    }
    ::kill(worker, SIGKILL);
    server_->wait_for_line("worker 1 started (pid ", 2);
    stand_still(3s);
    const std::string line = server_->wait_for_line("worker 1 taken over by pid ");
    const std::string in = " in ";
    EXPECT_LT(std::stod(line.substr(line.find(in) + in.size())), 3000.0) << line;
}

// The client has received the line, and no reset has destroyed it.
TEST_F(StandstillTest, ARefusedClientReceivesTheReason) {
    start({"--users", "1"});
    const auto client = join();
    Client turned_away(loop_, server_->endpoint());
    turned_away.pause();
    server_->wait_for_line("table full");
    stand_still(1200ms);
    turned_away.send("what they would have said");
    turned_away.resume();
    turned_away.wait_for_end();
    EXPECT_EQ(turned_away.received(), "too many users!\n");
    EXPECT_EQ(turned_away.end_error(), 0);
}

} // namespace
} // namespace chatserv::test
