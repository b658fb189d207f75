// The file feed, between a file of the test and a relay of the test; and the place that it tells.
#include "master/sources/program/file_feed.h"

#include "master/sources/program/loopback_pair.h"
#include "master/sources/source_word.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/master/sources/stream_bytes.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace chatserv {
namespace {

namespace fs = std::filesystem;

class FileFeedTest : public testing::Test {
protected:
    FileFeedTest() { ::signal(SIGPIPE, SIG_IGN); }
    ~FileFeedTest() override {
        lifeline_.first.reset();
        if (thread_.joinable())
            thread_.join();
    }

    void append(const std::string& text) const { std::ofstream(path_, std::ios::app) << text; }
    // The feed has looked for the end of the file when this returns.
    void begin() {
        feed_ = std::make_unique<FileFeed>(path_, place_, lifeline_.second.get());
        thread_ = std::thread([this] { why_ = feed_->run(relay_.second.get()); });
    }
    void expect(const std::string& text) const {
        EXPECT_EQ(read_bytes(relay_.first.get(), text.size()), text);
    }

    const test::TemporaryDirectory folder_;
    const std::string path_ = (folder_.path() / "log").string();
    FdPair relay_ = make_loopback_pair();
    FdPair lifeline_ = make_stream_pair();
    std::optional<FilePlace> place_{};
    std::unique_ptr<FileFeed> feed_;
    std::thread thread_;
    std::string why_ = "it runs";
};

TEST_F(FileFeedTest, BeginsAtTheEndAndFollowsWhatIsAppended) {
    append("before;");
    begin();
    append("one;");
    expect("one;");
    append("two;");
    expect("two;");
    lifeline_.first.reset();
    thread_.join();
    EXPECT_EQ(why_, "");
}

TEST_F(FileFeedTest, WaitsForAFileThatIsNotThereYet) {
    begin();
    append("the first line;");
    expect("the first line;");
}

TEST_F(FileFeedTest, FollowsTheNameThroughRotations) {
    append("");
    begin();
    for (int i = 0; i < 20; ++i) {
        append("in file " + std::to_string(i) + ";");
        fs::rename(path_, path_ + ".1");
        std::ofstream(path_ + ".1", std::ios::app) << "late words of " << i << ";";
        append("begins " + std::to_string(i + 1) + ";");
        expect("in file " + std::to_string(i) + ";late words of " + std::to_string(i) + ";begins " +
               std::to_string(i + 1) + ";");
    }
}

TEST_F(FileFeedTest, BeginsAnewWhereTheFileWasTruncated) {
    append("");
    begin();
    for (int i = 0; i < 20; ++i) {
        append("a long line of round " + std::to_string(i) + ";");
        expect("a long line of round " + std::to_string(i) + ";");
        fs::resize_file(path_, 0);
        append("short;");
        expect("short;");
    }
}

TEST_F(FileFeedTest, IsHeldBackByTheRelayAndLosesNothing) {
    append("");
    begin();
    std::string text;
    for (int i = 0; text.size() < 8 * 1024 * 1024; ++i)
        text += std::to_string(i) + "\n";
    append(text);
    expect(text);
}

TEST_F(FileFeedTest, SaysWhereItReadsAndGoesOnFromAPlace) {
    append("0123456789");
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    place_ = {.device = status.st_dev, .inode = status.st_ino, .offset = 4};
    begin();
    EXPECT_EQ(feed_->place(), *place_);
    expect("456789");
    SourceWords words;
    const auto next_place = [&] {
        pollfd asked{.fd = lifeline_.first.get(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&asked, 1, 60'000), 1);
        const auto word = words.next(lifeline_.first.get());
        return word ? FilePlace::parse(word->text) : std::nullopt;
    };
    fs::rename(path_, path_ + ".1");
    append("abc");
    expect("abc");
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    const FilePlace next{.device = status.st_dev, .inode = status.st_ino, .offset = 0, .fed = 6};
    EXPECT_EQ(next_place(), next);
    ASSERT_EQ(::write(lifeline_.first.get(), "?", 1), 1);
    EXPECT_EQ(next_place(), next) << "a new master has asked";
}

// Whoever follows it next must not begin at the end of a file that has come meanwhile.
TEST_F(FileFeedTest, AFileThatIsNotThereYetHasThePlaceOfNone) {
    begin();
    EXPECT_EQ(feed_->place(), FilePlace());
    lifeline_.first.reset();
    thread_.join();
    lifeline_ = make_stream_pair();
    append("all of it");
    place_ = feed_->place();
    begin();
    expect("all of it");
}

TEST_F(FileFeedTest, AFileWhoseNameIsGoneKeepsThePlaceThatItHad) {
    place_ = {.device = 1, .inode = 2, .offset = 4};
    begin();
    EXPECT_EQ(feed_->place(), *place_);
}

TEST_F(FileFeedTest, AnotherFileThanThatOfThePlaceIsReadFromItsBeginning) {
    append("all of it");
    place_ = {.device = 1, .inode = 2, .offset = 4};
    begin();
    expect("all of it");
}

TEST(FilePlace, IsWhereTheRelayHasComeToWhenTheClientHasLeft) {
    SourceRecord record{};
    EXPECT_FALSE(next_place(record));
    note_place(record, {.device = 1, .inode = 2, .offset = 100, .fed = 6});
    EXPECT_FALSE(next_place(record)) << "how much was relayed is not known";
    record.state = static_cast<uint32_t>(PlaceState::left);
    record.relayed = 8;
    EXPECT_EQ(next_place(record), (FilePlace{.device = 1, .inode = 2, .offset = 102}));
    record.relayed = 5; // it had come no further than the file before
    EXPECT_EQ(next_place(record), (FilePlace{.device = 1, .inode = 2, .offset = 100}));
}

TEST(FilePlace, IsReadAsItIsWritten) {
    const FilePlace place{.device = 1, .inode = ~0ULL, .offset = 3, .fed = 4};
    EXPECT_EQ(FilePlace::parse(place.text()), place);
    for (const char* const text : {"", "1 2 3", "1 2 3 4 5", "a 2 3 4", "1 2 3 4x"})
        EXPECT_FALSE(FilePlace::parse(text)) << text;
}

TEST_F(FileFeedTest, RefusesWhatIsNoFile) {
    fs::create_directory(path_);
    EXPECT_THROW(FileFeed(path_, place_, lifeline_.second.get()), std::system_error);
    EXPECT_THROW(FileFeed((folder_.path() / "no/log").string(), place_, lifeline_.second.get()),
        std::system_error);
}

} // namespace
} // namespace chatserv
