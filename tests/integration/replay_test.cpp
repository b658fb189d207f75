// --replay: a newcomer is sent the last of the conversation first, and then what follows, without a
// gap and without a repeat.
#include "tests/harness/process.h"
#include "tests/harness/seed.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <algorithm>
#include <csignal>
#include <random>

namespace chatserv::test {
namespace {

constexpr std::size_t small_log_bytes = 65'536;

class ReplayTest : public ServerTest {
protected:
    // One client sends the text, another one has received it all.
    void say(const std::string& text) {
        if (!talker_) {
            talker_ = join();
            listener_ = join();
        }
        said_ += text;
        talker_->send(text);
        listener_->wait_for_bytes(said_.size());
    }

    // The same, so that the other one is never far behind.
    void say_in_pieces(const std::string& text) {
        constexpr std::size_t piece_bytes = 256 * 1024;
        for (std::size_t at = 0; at < text.size(); at += piece_bytes)
            say(text.substr(at, piece_bytes));
    }

    // A newcomer is sent `replayed` first, and then what is said now, and nothing else.
    void expect_replay(std::string replayed) {
        const auto newcomer = join();
        newcomer->wait_for_bytes(replayed.size());
        say("after the replay\n");
        replayed += "after the replay\n";
        newcomer->wait_for_bytes(replayed.size());
        EXPECT_EQ(newcomer->received(), replayed);
        newcomer->half_close();
        newcomer->wait_for_end();
    }

    void expect_that_nobody_left_but(std::size_t leavers) {
        if (leavers > 0)
            server_->wait_for_line(" left: end of file", leavers);
        EXPECT_EQ(server_->count(" left: "), leavers);
    }

    // The newcomer received one stretch of what was said, from the beginning of a line to the end.
    void expect_whole_end(const Client& newcomer) const {
        const std::string& received = newcomer.received();
        ASSERT_TRUE(said_.ends_with(received)) << "of " << received.size() << " bytes";
        const std::size_t before = said_.size() - received.size();
        EXPECT_TRUE(before == 0 || said_[before - 1] == '\n') << "it begins with half a line";
    }

    std::unique_ptr<Client> talker_;
    std::unique_ptr<Client> listener_;
    std::string said_;
};

TEST_F(ReplayTest, ANewcomerIsSentTheLastLinesFirst) {
    start({"--replay", "3"});
    say("one\ntwo\nthree\nfour\n");
    expect_replay("two\nthree\nfour\n");
    say("half ");
    expect_replay("four\nafter the replay\nhalf ");
    expect_that_nobody_left_but(2);
}

TEST_F(ReplayTest, ANewcomerIsSentTheLastBytesFirst) {
    start({"--replay", "1K"});
    const std::string text = numbered_lines(3000);
    say(text);
    expect_replay(text.substr(text.size() - 1024));
}

TEST_F(ReplayTest, NothingComesFirstWithoutTheOptionOrInAnEmptyRoom) {
    start();
    say("one\ntwo\n");
    expect_replay("");
    EXPECT_EQ(server_->stop(), 0);
    talker_.reset();
    said_.clear();
    start({"--replay", "100"});
    const auto first = join();
    expect_replay("");
    first->wait_for("after the replay\n");
    EXPECT_EQ(first->received(), "after the replay\n");
}

TEST_F(ReplayTest, NoMoreThanHalfOfTheLogComesFirst) {
    start({"--replay", "1000000", "--log-size", "64K"});
    say(numbered_lines(200'000)); // the log is full three times over
    const auto newcomer = join();
    say("last\n");
    newcomer->wait_for("last\n");
    expect_whole_end(*newcomer);
    EXPECT_LE(newcomer->received().size(), small_log_bytes / 2 + 5);
    EXPECT_GT(newcomer->received().size(), small_log_bytes / 2 - 100);
}

TEST_F(ReplayTest, AReloadChangesIt) {
    const TemporaryDirectory folder;
    const std::string file = folder.file("chatserv.conf", "");
    const std::string control = folder.path() / "control";
    const auto reload = [&](const std::string& text) {
        (void)folder.file("chatserv.conf", text);
        return run(loop_, {{chatserv_path(), "reload", "--control", control}}).output;
    };
    start({"--config", file, "--control", control});
    say("one\ntwo\nthree\n");
    EXPECT_EQ(reload("replay = 2\n"), "replay: 0 -> 2\n");
    expect_replay("two\nthree\n");
    EXPECT_EQ(reload("replay = 1K\n"), "replay: 2 -> 1K\n");
    expect_replay(said_);
    EXPECT_EQ(reload(""), "replay: 1K -> 0\n");
    expect_replay("");
}

// Newcomers and the successors of their workers meet the replay while the log grows as fast as it
// can, and runs over all the time.
class BusyReplayTest : public ReplayTest {
protected:
    void talk() {
        if (!talker_->is_sent())
            return;
        std::string text;
        const std::size_t bytes = 1 + random_() % 20'000;
        while (text.size() < bytes)
            text += std::to_string(line_++) + "\n";
        said_ += text;
        talker_->send(text);
    }

    // Newcomers come at random instants, while `disturb` does its worst. Each receives the end of
    // what was said, from some line on.
    void run_newcomers(unsigned count, const std::function<void()>& disturb) {
        const std::uint64_t seed = base_seed();
        random_.seed(static_cast<unsigned>(seed));
        talker_ = join();
        std::vector<std::unique_ptr<Client>> newcomers;
        while (newcomers.size() < count) {
            disturb();
            newcomers.push_back(std::make_unique<Client>(loop_, server_->endpoint()));
            const std::size_t turns = random_() % 30;
            for (std::size_t turn = 0; turn < turns; ++turn) {
                talk();
                loop_.turn(std::chrono::milliseconds(1));
            }
        }
        server_->wait_for_line(" joined", count + 1);
        said_ += "the end\n";
        talker_->send("the end\n");
        for (const auto& newcomer : newcomers) {
            newcomer->wait_for("the end\n");
            expect_whole_end(*newcomer);
        }
        EXPECT_EQ(talker_->received(), "");
        EXPECT_EQ(server_->count(" left: "), 0U);
    }

    std::mt19937 random_;
    unsigned line_ = 0;
};

TEST_F(BusyReplayTest, ThereIsNoSeam) {
    start({"--replay", "500", "--log-size", "64K", "--users", "100", no_stall_limit});
    run_newcomers(60, [] {});
}

TEST_F(BusyReplayTest, ThereIsNoSeamWhereTheNewcomersAskForMoreThanThereIs) {
    start({"--replay", "1000000", "--log-size", "64K", "--users", "100", no_stall_limit});
    run_newcomers(60, [] {});
}

TEST_F(BusyReplayTest, ThereIsNoSeamWhenWorkersDie) {
    start({"--replay", "2000", "--log-size", "64K", "--users", "100", "--workers", "3", "--spares",
        "3", no_stall_limit});
    run_newcomers(60, [&] {
        const std::vector<pid_t> workers = server_->worker_pids();
        if (random_() % 2 == 0)
            ::kill(workers[random_() % workers.size()], SIGKILL);
    });
    EXPECT_GT(server_->count(" taken over by pid "), 0U);
}

TEST_F(BusyReplayTest, ThereIsNoSeamWhenMastersDie) {
    start({"--replay", "2000", "--log-size", "64K", "--users", "100", no_stall_limit});
    if (server_->master_pid() == server_->keeper_pid())
        GTEST_SKIP() << "this system has no keepers";
    run_newcomers(30, [&] {
        if (random_() % 3 == 0)
            kill_master_if_there();
    });
}

// A newcomer that speaks in the midst of a long replay: it is not sent its own bytes, whichever
// worker sends it the rest, and no byte of the others is taken for its own.
TEST_F(ReplayTest, ANewcomerThatSpeaksDuringTheReplayIsSentTheOthersBytesOnly) {
    start({"--replay", "1M", "--log-size", "4M", no_stall_limit});
    const std::string text = numbered_lines(4'500'000); // the log has run over once
    say(text);
    const auto newcomer = join_paused();
    const std::string replayed = text.substr(text.size() - 1024 * 1024);
    newcomer->send("this is from the newcomer\n");
    listener_->wait_for("this is from the newcomer\n");
    talker_->wait_for("this is from the newcomer\n");
    for (const pid_t worker : server_->worker_pids())
        ::kill(worker, SIGKILL);
    server_->wait_for_line(" taken over by pid ", 2);
    talker_->send("and this is from the other\n");
    listener_->wait_for("and this is from the other\n");
    newcomer->resume();
    newcomer->wait_for("and this is from the other\n");
    EXPECT_EQ(newcomer->received(), replayed + "and this is from the other\n");
    expect_that_nobody_left_but(0);
}

// A newcomer that does not read is not behind by more than half of the log, so nobody waits for it
// at first.
TEST_F(ReplayTest, ANewcomerThatDoesNotReadLeavesRoom) {
    start({"--replay", "1000000", "--log-size", "4M", "--slow-policy", "disconnect"});
    say_in_pieces(numbered_lines(6'000'000));
    const auto newcomer = join_paused();
    say_in_pieces(numbered_lines(1'000'000));
    newcomer->resume();
    say("last\n");
    newcomer->wait_for("last\n");
    expect_whole_end(*newcomer);
    expect_that_nobody_left_but(0);
}

} // namespace
} // namespace chatserv::test
