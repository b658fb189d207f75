// Standard error that is of no use: closed, full, or without a reader. The server serves all the
// same.
#include "tests/integration/stats_query.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

class UnwritableLogTest : public StatsServerTest {
protected:
    // Started by a shell that redirects standard error; nothing of its log can be read.
    void start_with(const std::string& redirection, const std::string& before = "") {
        process_ = std::make_unique<Process>(
            loop_, Command{{"sh", "-c",
                       before + R"(exec "$0" --listen 127.0.0.1:0 --control "$1" )" + redirection,
                       chatserv_path(), socket()}});
        while (!std::filesystem::exists(socket()) && !process_->exited())
            loop_.turn(std::chrono::milliseconds(10));
        wait_for_stats([](const auto& said) { return said["accepting"] == true; });
    }
    void expect_that_it_stops() {
        process_->signal(SIGTERM);
        EXPECT_EQ(process_->wait_for_exit(), 0);
        EXPECT_FALSE(std::filesystem::exists(socket()));
    }

    std::unique_ptr<Process> process_;
};

TEST_F(UnwritableLogTest, AFullDeviceIsTolerated) {
    if (!std::filesystem::exists("/dev/full"))
        GTEST_SKIP() << "this system has no /dev/full";
    start_with("2>/dev/full");
    expect_that_it_stops();
}

TEST_F(UnwritableLogTest, AClosedDescriptorIsTolerated) {
    start_with("<&- >&- 2>&-");
    std::error_code none;
    for (const char* const stream : {"0", "1", "2"}) {
        const auto link = std::filesystem::path("/proc") / std::to_string(process_->pid()) / "fd";
        if (std::filesystem::exists(link)) {
            EXPECT_EQ(std::filesystem::read_symlink(link / stream, none), "/dev/null") << stream;
        }
    }
    expect_that_it_stops();
}

// As `chatserv 2>&1 | true`: the reader ends before the first line.
TEST_F(UnwritableLogTest, APipeWithoutAReaderIsTolerated) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const UniqueFd writing(ends[1]);
    ::close(ends[0]);
    ASSERT_LT(writing.get(), 10) << "a shell's redirection takes one digit only";
    start_with("2>&" + std::to_string(writing.get()));
    expect_that_it_stops();
}

// A file that may not grow any more.
TEST_F(UnwritableLogTest, AFileAtItsSizeLimitIsTolerated) {
    const std::string log = folder_.file("log", "");
    constexpr std::uintmax_t limit_bytes = 65536 * 512; // `ulimit -f` counts blocks of 512 bytes
    std::filesystem::resize_file(log, limit_bytes - 200);
    start_with("2>>'" + log + "'", "ulimit -f 65536; ");
    expect_that_it_stops();
    EXPECT_EQ(std::filesystem::file_size(log), limit_bytes);
}

} // namespace
} // namespace chatserv::test
