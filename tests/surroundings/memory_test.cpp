// Too little shared memory: the server starts if it finds other memory, or ends with one line
// before it listens. Once it listens it has all of its memory.
#include "tests/harness/sanitizer.h"
#include "tests/surroundings/surroundings_test.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A new descriptor of the segment that this process holds; none if the system does not permit that.
UniqueFd segment_of(pid_t process) {
    std::error_code error;
    for (const auto& entry :
        fs::directory_iterator("/proc/" + std::to_string(process) + "/fd", error)) {
        const std::string target = fs::read_symlink(entry.path(), error);
        if (target.find("/dev/shm/chatserv-") != std::string::npos ||
            target.find("/memfd:chatserv") != std::string::npos)
            return UniqueFd(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC));
    }
    return {};
}

class MemoryShortageTest : public SurroundingsTest {
protected:
    // Expects that this server ends at the start for lack of memory.
    void expect_no_memory(
        const Surroundings& surroundings, const std::vector<std::string>& options) {
        const Finished finished = run(loop_, command_in(surroundings, options));
        EXPECT_EQ(finished.status, EX_OSERR) << finished.errors;
        // A slow machine is told in a line of its own that the memory is still being reserved.
        const int lines = finished.errors.starts_with("chatserv: still reserving ") ? 2 : 1;
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), lines)
            << finished.errors;
        EXPECT_THAT(finished.errors, HasSubstr("the shared memory needs "));
        EXPECT_THAT(finished.errors, HasSubstr("--log-size"));
        EXPECT_THAT(finished.errors, HasSubstr("--users"));
    }
};

TEST_F(MemoryShortageTest, DoesNotNeedDevShm) {
    if (const std::string why = why_not({"--shm-size", "1M"}); !why.empty())
        GTEST_SKIP() << why;
    start_in({"--shm-size", "1M"}, {"--log-size", "64M"});
    expect_conversation();
}

TEST_F(MemoryShortageTest, DoesNotNeedDevShmToExist) {
    if (const std::string why = why_not({"--no-shm"}); !why.empty())
        GTEST_SKIP() << why;
    start_in({"--no-shm"}, {"--log-size", "64M"});
    expect_conversation();
}

TEST_F(MemoryShortageTest, UsesDevShmWhenThereIsNoOtherMemory) {
    if (const std::string why = why_not({"--no-memfd", "--shm-size", "64M"}); !why.empty())
        GTEST_SKIP() << why;
    start_in({"--no-memfd", "--shm-size", "64M"});
    expect_conversation();
}

TEST_F(MemoryShortageTest, ReportsATooSmallDevShm) {
    if (const std::string why = why_not({"--no-memfd", "--shm-size", "64M"}); !why.empty())
        GTEST_SKIP() << why;
    expect_no_memory({"--no-memfd", "--shm-size", "64M"}, {"--log-size", "64M"});
    // ... for the users alone.
    expect_no_memory(
        {"--no-memfd", "--shm-size", "400K"}, {"--log-size", "64K", "--users", "3000"});
}

// Another process fills up /dev/shm once the server listens: the server already has all the memory
// that it needs.
TEST_F(MemoryShortageTest, ReservesItsMemoryBeforeItListens) {
    if (const std::string why = why_not({"--no-memfd", "--shm-size", "64M"}); !why.empty())
        GTEST_SKIP() << why;
    start_in({"--no-memfd", "--shm-size", "64M"}, {"--users", "1000"});
    const fs::path shm = "/proc/" + std::to_string(server_->process().pid()) + "/root/dev/shm";
    std::error_code error;
    const fs::space_info room = fs::space(shm, error);
    ASSERT_FALSE(error) << error.message();
    {
        std::ofstream filler(shm / "filler", std::ios::binary);
        const std::string megabyte(1024 * 1024, '.');
        while (
            filler.write(megabyte.data(), static_cast<std::streamsize>(megabyte.size())).flush()) {
        }
    }
    EXPECT_EQ(fs::space(shm, error).available, 0U) << "of " << room.available;
    expect_conversation();
}

TEST_F(MemoryShortageTest, ReportsMemoryThatWasCutOffBeforeItEnds) {
    const Surroundings there{"--no-memfd", "--shm-size", "64M"};
    if (const std::string why = why_not(there); !why.empty())
        GTEST_SKIP() << why;
    start_in(there);
    const auto client = join();
    const UniqueFd segment = segment_of(server_->process().pid());
    if (!segment)
        GTEST_SKIP() << "this user may not look into another process";
    ASSERT_EQ(::ftruncate(segment.get(), 0), 0);
    EXPECT_EQ(server_->process().wait_for_exit(), 128 + SIGBUS);
    EXPECT_GE(server_->count("chatserv: SIGBUS: part of the shared memory is gone"), 1U);
    client->wait_for_end();
}

TEST_F(MemoryShortageTest, TouchesAllOfItsMemoryWhenItCannotBeReserved) {
    const Surroundings there{"--no-fallocate"};
    if (const std::string why = why_not(there); !why.empty())
        GTEST_SKIP() << why;
    start_in(there, {"--users", "1000"});
    const UniqueFd segment = segment_of(server_->process().pid());
    if (!segment)
        GTEST_SKIP() << "this user may not look into another process";
    struct stat info {};
    ASSERT_EQ(::fstat(segment.get(), &info), 0);
    EXPECT_GE(info.st_blocks * 512, info.st_size);
    expect_conversation();
}

// A container's limit: the kernel rejects nothing there, it kills processes. The address sanitizer
// needs some tens of megabytes of its own in each process.
TEST_F(MemoryShortageTest, ReportsTooLittleMemoryInAContainer) {
    const MemoryGroup group(address_sanitized ? "256M" : "64M");
    const std::vector<std::string> too_much{"--log-size", address_sanitized ? "1G" : "256M"};
    if (!group.made())
        GTEST_SKIP() << "no control group with a limit can be made here: " << group.why_not();
    expect_no_memory({"--cgroup", group.path()}, too_much);
    expect_no_memory({"--cgroup", group.path(), "--no-fallocate"}, too_much);
    start_in({"--cgroup", group.path()});
    expect_conversation();
}

} // namespace
} // namespace chatserv::test
