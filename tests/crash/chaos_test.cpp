// `chatserv chaos` beside a conversation: it says what it did and what that cost, and nobody there
// notices.
#include "tests/integration/conversation.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

#include <gmock/gmock.h>
#include <regex>

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

TEST_F(ChaosTest, KillsWorkersAndTellsTheTakeoverTimes) {
    begin();
    const std::string said = chaos({"--rate", "20", "--for", "1", "--seed", "4"});
    EXPECT_THAT(said, HasSubstr("seed 4, 2 workers"));
    EXPECT_THAT(said, HasSubstr("killed worker "));
    std::smatch found;
    ASSERT_TRUE(std::regex_search(said, found,
        std::regex(R"((\d+) killed, 0 stopped, \d+ not there; (\d+) takeovers: )"
                   R"(median \d+\.\d\d ms, p99 \d+\.\d\d ms, max \d+\.\d\d ms\n$)")))
        << said;
    EXPECT_GT(std::stoul(found[1]), 0U);
    EXPECT_LE(std::stoul(found[2]), std::stoul(found[1])) << said;
    EXPECT_EQ(server_->count(" taken over by pid "), std::stoul(found[2]));
    EXPECT_GE(server_->count("killed by signal 9 (Killed), as chaos asked"), 1U);
    expect_that_nobody_noticed_to_the_end();
}

TEST_F(ChaosTest, StopsWorkersToo) {
    begin({"--hang-limit", "0.2"});
    const std::string said = chaos({"--rate", "10", "--for", "1", "--mode", "stop"});
    EXPECT_THAT(said, HasSubstr("stopped worker "));
    EXPECT_THAT(said, ContainsRegex("0 killed, [0-9]+ stopped"));
    EXPECT_GE(server_->count("it did not answer for 200 ms (--hang-limit)"), 1U);
    expect_that_nobody_noticed_to_the_end();
}

TEST_F(ChaosTest, DoesBothWhereAskedTo) {
    begin({"--hang-limit", "0.2"});
    const std::string said =
        chaos({"--rate", "20", "--for", "1", "--mode", "mixed", "--seed", "1"});
    EXPECT_THAT(said, HasSubstr("killed worker "));
    EXPECT_THAT(said, HasSubstr("stopped worker "));
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

TEST_F(ChaosTest, SaysWhatIsWrong) {
    EXPECT_EQ(run_chaos({"--pid", "1", "--rate", "never"}).status, 64);
    EXPECT_EQ(run_chaos({"--pid", "1", "--mode", "burn"}).status, 64);
    const Finished nobody = run_chaos({"--control", socket()});
    EXPECT_EQ(nobody.status, 69);
    EXPECT_THAT(nobody.errors, HasSubstr("cannot reach a server at " + socket()));
    EXPECT_EQ(run_chaos({"--help"}).status, 0);
}

} // namespace
} // namespace chatserv::test
