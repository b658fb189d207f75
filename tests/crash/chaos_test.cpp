// `chatserv chaos` beside a conversation: it reports the strikes and the takeover times, and no
// client notices.
#include "shared/system/shared_table.h"
#include "tests/harness/process.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/conversation.h"

#include <algorithm>
#include <chrono>
#include <gmock/gmock.h>
#include <regex>
#include <stdexcept>

namespace chatserv::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class ChaosTest : public ConversationTest {
protected:
    void begin(const std::vector<std::string>& options = {}) {
        std::vector<std::string> all{"--workers", "2", "--control", socket()};
        all.insert(all.end(), options.begin(), options.end());
        start(all);
        gather(4);
    }

    static std::size_t count(const std::string& text, const std::string& part) {
        std::size_t found = 0;
        for (std::size_t at = text.find(part); at != std::string::npos;
             at = text.find(part, at + 1))
            ++found;
        return found;
    }

    std::string socket() const { return folder_.path().string() + "/control"; }

    // Chaos runs while the clients talk in turn; its output.
    std::string chaos(std::vector<std::string> options) {
        options.insert(options.begin(), {chatserv_path(), "chaos", "--control", socket()});
        Process process(loop_, {options});
        for (std::size_t turn = 0; !process.exited(); ++turn)
            say(turn % clients_.size(), "turn " + std::to_string(turn) + ";");
        EXPECT_EQ(process.wait_for_exit(), 0) << process.errors().text();
        return process.output().text();
    }

    // Runs chaos until its output has all of these words: a strike at a worker that is just being
    // replaced hits no process. Returns the output of all runs.
    std::string chaos_until(
        const std::vector<std::string>& words, const std::vector<std::string>& options) {
        std::string said;
        const auto has = [&](const std::string& word) {
            return said.find(word) != std::string::npos;
        };
        const auto give_up = std::chrono::steady_clock::now() + patience;
        do {
            if (std::chrono::steady_clock::now() > give_up)
                throw std::runtime_error("chaos did not come to strike as it was to:\n" + said);
            said += chaos(options);
        } while (!std::all_of(words.begin(), words.end(), has));
        return said;
    }

    void expect_that_nobody_noticed_to_the_end() {
        expect_that_nobody_noticed();
        EXPECT_EQ(server_->stop(), 0);
        EXPECT_FALSE(std::filesystem::exists(socket())) << "left behind";
    }

    Finished run_chaos(std::vector<std::string> options) {
        options.insert(options.begin(), {chatserv_path(), "chaos"});
        return run(loop_, {options});
    }

    TemporaryDirectory folder_;
};

TEST_F(ChaosTest, KillsWorkersAndPrintsTheTakeoverTimes) {
    begin();
    const std::string said =
        chaos_until({"killed worker "}, {"--rate", "20", "--for", "1", "--seed", "4"});
    EXPECT_THAT(said, HasSubstr("seed 4, 2 workers"));
    const std::regex summary(R"((\d+) killed, 0 stopped, \d+ not there; (\d+) takeovers)"
                             R"((: median \d+\.\d\d ms, p99 \d+\.\d\d ms, max \d+\.\d\d ms)?\n)");
    std::size_t runs = 0;
    std::size_t takeovers = 0;
    for (std::sregex_iterator run(said.begin(), said.end(), summary), end; run != end; ++run) {
        ++runs;
        takeovers += std::stoul((*run)[2]);
        EXPECT_LE(std::stoul((*run)[2]), std::stoul((*run)[1])) << said;
        EXPECT_EQ((*run)[3].matched, std::stoul((*run)[2]) > 0) << said;
    }
    EXPECT_EQ(runs, count(said, "seed 4, 2 workers")) << "each ends with the times\n" << said;
    EXPECT_GT(takeovers, 0U) << said;
    EXPECT_EQ(server_->count(" taken over by pid "), takeovers);
    EXPECT_GE(server_->count("killed by signal 9 (Killed), as chaos asked"), 1U);
    expect_that_nobody_noticed_to_the_end();
}

TEST_F(ChaosTest, StopsWorkers) {
    begin({"--hang-limit", "0.2"});
    const std::string said =
        chaos_until({"stopped worker "}, {"--rate", "10", "--for", "1", "--mode", "stop"});
    EXPECT_THAT(said, ContainsRegex("0 killed, [0-9]+ stopped"));
    EXPECT_GE(server_->count("it did not answer for 200 ms (--hang-limit)"), 1U);
    expect_that_nobody_noticed_to_the_end();
}

TEST_F(ChaosTest, KillsAndStopsWorkersWhenAskedForBoth) {
    begin({"--hang-limit", "0.2"});
    chaos_until({"killed worker ", "stopped worker "},
        {"--rate", "20", "--for", "1", "--mode", "mixed", "--seed", "1"});
    expect_that_nobody_noticed_to_the_end();
}

// Masters and keepers replace each other.
class ChaosAboveWorkersTest : public ChaosTest {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "this system has no keeper";
    }
};

TEST_F(ChaosAboveWorkersTest, KillsMasters) {
    begin();
    const std::string said = chaos_until({"killed the master (pid ", "master taken over in "},
        {"--target", "master", "--rate", "20", "--for", "1"});
    EXPECT_EQ(server_->count(" died: killed by signal 9 (Killed); another one starts "),
        count(said, "killed the master (pid "));
    EXPECT_EQ(count(said, "killed the master (pid "), count(said, "master taken over in "));
    expect_that_nobody_noticed_to_the_end();
}

TEST_F(ChaosAboveWorkersTest, StopsMasters) {
    begin({"--hang-limit", "0.2"});
    chaos_until({"stopped the master (pid ", "master taken over in "},
        {"--target", "master", "--mode", "stop", "--rate", "10", "--for", "1"});
    EXPECT_GE(server_->count("did not answer for 200 ms (--hang-limit), so it is killed"), 1U);
    expect_that_nobody_noticed_to_the_end();
}

TEST_F(ChaosAboveWorkersTest, KillsKeepers) {
    begin();
    const std::string said = chaos_until({"killed the keeper (pid ", "keeper taken over in "},
        {"--target", "keeper", "--rate", "20", "--for", "1"});
    EXPECT_EQ(server_->count("died; the server's pid is "), count(said, "killed the keeper (pid "));
    EXPECT_EQ(count(said, "killed the keeper (pid "), count(said, "keeper taken over in "));
    expect_that_nobody_noticed_to_the_end();
}

TEST_F(ChaosAboveWorkersTest, KillsAnyOfThem) {
    begin();
    const std::string said =
        chaos_until({"killed worker ", "killed the master ", "killed the keeper "},
            {"--target", "any", "--rate", "20", "--for", "1"});
    for (const char* const kind : {"worker: ", "master: ", "keeper: "})
        EXPECT_THAT(said, HasSubstr(kind + std::string())) << "its summary";
    expect_that_nobody_noticed_to_the_end();
}

TEST_F(ChaosTest, FindsTheServerByItsPid) {
    Server other(loop_, {.environment = {{"CHATSERV_CONTROL_DIR", folder_.path().string()},
                             {"CHATSERV_CONTROL", ""}}});
    const std::string pid = std::to_string(other.process().pid());
    const Finished finished = run(loop_, {{chatserv_path(), "chaos", "--pid", pid, "--for", "0"},
                                             {{"CHATSERV_CONTROL_DIR", folder_.path().string()}}});
    EXPECT_EQ(finished.status, 0) << finished.errors;
    EXPECT_THAT(finished.output, HasSubstr("0 killed, 0 stopped"));
    EXPECT_EQ(other.stop(), 0);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ChaosTest, PrintsItsErrors) {
    EXPECT_EQ(run_chaos({"--pid", "1", "--rate", "never"}).status, 64);
    EXPECT_EQ(run_chaos({"--pid", "1", "--mode", "burn"}).status, 64);
    const Finished nobody = run_chaos({"--control", socket()});
    EXPECT_EQ(nobody.status, 69);
    EXPECT_THAT(nobody.errors, HasSubstr("cannot reach a server at " + socket()));
    EXPECT_EQ(run_chaos({"--help"}).status, 0);
}

} // namespace
} // namespace chatserv::test
