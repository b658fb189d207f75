// The process that follows a file is killed before and after the system calls of its life, and the
// next one goes on. Every byte reaches every user once and in order, whether it was appended before
// the death, while there was no process, or later; also across a rotation.
#include "tests/crash/source_kill_test.h"
#include "tests/harness/seed.h"

#include <filesystem>
#include <fstream>

namespace chatserv::test {
namespace {

class EveryFileSourceCallTest : public SourceKillTest {
protected:
    EveryFileSourceCallTest() : SourceKillTest(true) {}

    void SetUp() override {
        append("before the server was started;");
        more_options_ = {"--source", "file:" + path()};
        MasterKillTest::SetUp();
    }

    [[nodiscard]] virtual std::string path() const { return folder_.path().string() + "/log"; }
    void append(const std::string& text) const { std::ofstream(path(), std::ios::app) << text; }
    bool append_and_wait(const std::string& said) {
        append(said);
        make_due(said);
        return lives_until_all_is_passed();
    }

    void prepare() override {
        const std::string said = text("appended while nobody reads");
        append(said);
        make_due(said);
    }

    // The file takes another name when all of it is relayed: nobody can go on in it later.
    void exchange() override {
        if (!lives_until_all_is_passed() || !append_and_wait(text("a line")) ||
            !append_and_wait(long_text("much")))
            return;
        std::filesystem::rename(path(), path() + ".1");
        if (lives_until_rest())
            (void)append_and_wait(text("in the next file"));
    }
};

TEST_F(EveryFileSourceCallTest, NobodyNoticesThatItsProcessDies) {
    kill_at_points();
}

// The first process of a file that the server follows: what comes once the log has told that the
// source is connected is due, though nothing has been relayed of it, and the process is dead.
class EveryFirstFileSourceCallTest : public EveryFileSourceCallTest {
protected:
    void SetUp() override {
        sources_ = 0;
        source_processes_ = 0;
        more_options_ = {"--source", "file:" + path()};
        MasterKillTest::SetUp();
    }

    [[nodiscard]] std::string folder() const { return folder_.path().string() + "/folder"; }
    [[nodiscard]] std::string path() const override { return folder() + "/log"; }

    // By a server of its own, whose predecessor has to be gone.
    void lose_source() override {
        EXPECT_EQ(server_->stop(), 0);
        EXPECT_TRUE(server_->process().group_is_gone());
        std::filesystem::remove_all(folder());
        source_processes_ = 0;
        begin();
        server_->wait_for_line(" is not connected: the folder of ");
        source_processes_ = 1;
        note_descriptors(3); // the client, and lifeline and exit of the process
    }
    void prepare() override {
        std::filesystem::create_directory(folder());
        if (has_file_)
            append("before anybody followed it;");
    }

    void exchange() override {
        if (lives_until([&] { return is_connected(); }, "the source to be a client"))
            (void)append_and_wait(text("once it was followed"));
    }
    void judge_loss() override {
        if (is_connected()) {
            const std::string said = text("when nobody followed it");
            append(said);
            make_due(said);
        }
    }
    void welcome() override {
        const std::string said = text("when it was followed again");
        append(said);
        make_due(said);
    }

    // The last points of a life are those at which it begins to be the source's.
    void kill_at_last_points(std::uint64_t rounds) {
        constexpr std::uint64_t last_ones = 60;
        (void)life(0);
        const std::uint64_t all_points = points();
        ASSERT_GT(all_points, last_ones);
        for (std::uint64_t i = 0; i < rounds && !HasFailure(); ++i)
            (void)life(all_points - (base_seed() + i * last_ones / rounds) % last_ones);
        if (!HasFailure())
            stop_and_expect_nothing_left();
    }

    bool has_file_ = true;
};

TEST_F(EveryFirstFileSourceCallTest, NothingIsMissedOnceItIsConnected) {
    kill_at_last_points(is_all() ? 60 : 10);
}

TEST_F(EveryFirstFileSourceCallTest, NothingIsMissedOfAFileThatComesLater) {
    has_file_ = false;
    kill_at_last_points(is_all() ? 60 : 10);
}

} // namespace
} // namespace chatserv::test
