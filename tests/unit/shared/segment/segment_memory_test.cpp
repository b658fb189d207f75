// The segment's memory: backed, nameless, of a fixed size, and rejected with an error when too
// little is left. And the message of a process that finds part of it gone.
#include "shared/segment/memory_fault.h"
#include "shared/segment/segment.h"
#include "shared/segment/segment_memory.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {
namespace {

constexpr uint64_t megabyte = 1024 * 1024;

using Maker = UniqueFd (*)();

class MemoryTest : public testing::TestWithParam<Maker> {
protected:
    void SetUp() override {
        memory_ = GetParam()();
        if (!memory_)
            GTEST_SKIP() << "this system has no nameless memory";
    }

    [[nodiscard]] struct stat info() const {
        struct stat info {};
        EXPECT_EQ(::fstat(memory_.get(), &info), 0);
        return info;
    }

    UniqueFd memory_;
};

INSTANTIATE_TEST_SUITE_P(OfEitherKind, MemoryTest,
    testing::Values(open_nameless_memory, open_unlinked_memory),
    [](const auto& made) { return made.index == 0 ? "Nameless" : "Unlinked"; });

TEST_P(MemoryTest, HasTheSizeAskedForAndIsBacked) {
    size_and_back(memory_.get(), 3 * megabyte);
    EXPECT_EQ(info().st_size, static_cast<off_t>(3 * megabyte));
    EXPECT_GE(static_cast<uint64_t>(info().st_blocks) * 512, 3 * megabyte);
    EXPECT_EQ(::fcntl(memory_.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_P(MemoryTest, IsRejectedWhenTooLittleIsLeft) {
    constexpr uint64_t more_than_any_machine_has = 1ULL << 50;
    try {
        size_and_back(memory_.get(), more_than_any_machine_has);
        FAIL() << "there is as much";
    } catch (const MemoryRefused& refusal) {
        EXPECT_EQ(refusal.needed_bytes(), more_than_any_machine_has);
        EXPECT_LT(refusal.available_bytes().value_or(0), more_than_any_machine_has);
        EXPECT_EQ(info().st_blocks, 0) << "and nothing was taken before it was refused";
    }
}

// setrlimit(2): a process beyond the limit gets SIGXFSZ unless it ignores the signal.
TEST_P(MemoryTest, IsRejectedBeyondTheFileSizeLimit) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit tight{.rlim_cur = megabyte, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    int error = 0;
    try {
        size_and_back(memory_.get(), 3 * megabyte);
    } catch (const MemoryRefused& refusal) {
        error = refusal.code().value();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    if (error == 0)
        GTEST_SKIP() << "this system counts no memory as a file";
    EXPECT_EQ(error, EFBIG);
}

TEST_P(MemoryTest, IsBackedThoughSigchldIsIgnored) {
    struct sigaction before {};
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;
    ASSERT_EQ(::sigaction(SIGCHLD, &ignored, &before), 0);
    EXPECT_NO_THROW(size_and_back(memory_.get(), megabyte));
    struct sigaction after {};
    ASSERT_EQ(::sigaction(SIGCHLD, &before, &after), 0);
    EXPECT_EQ(after.sa_handler, SIG_IGN) << "it is again what it was";
    EXPECT_GE(static_cast<uint64_t>(info().st_blocks) * 512, megabyte);
}

// As a worker could that an attacker controls before it has closed the descriptor.
TEST(SegmentMemory, CannotBeResizedByAWorker) {
#ifdef F_GET_SEALS
    if (!open_nameless_memory())
        GTEST_SKIP() << "this system has no nameless memory";
    const UniqueFd memory = make_segment_memory(megabyte);
    for (const uint64_t other : {uint64_t{0}, megabyte / 2, 2 * megabyte}) {
        EXPECT_EQ(::ftruncate(memory.get(), static_cast<off_t>(other)), -1);
        EXPECT_EQ(errno, EPERM);
    }
    EXPECT_NE(::fcntl(memory.get(), F_GET_SEALS) & F_SEAL_SEAL, 0);
#else
    GTEST_SKIP() << "this system cannot seal memory";
#endif
}

// The whole segment, not the log alone: the user table must be backed too.
TEST(SegmentMemory, IsBackedCompletely) {
    const Segment segment = Segment::create({.users = users_max,
        .workers = 2,
        .log_bytes = log_bytes_min,
        .settings = {.stall_limit_ms = 5000}});
    struct stat info {};
    ASSERT_EQ(::fstat(segment.fd(), &info), 0);
    EXPECT_GE(static_cast<uint64_t>(info.st_blocks) * 512, segment.header().segment_bytes);
}

class MemoryFaultTest : public testing::Test {
protected:
    // From here on the pages are gone.
    void SetUp() override {
        testing::FLAGS_gtest_death_test_style = "fast";
        size_and_back(memory_.get(), bytes_);
        void* const mapping =
            ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
        ASSERT_NE(mapping, MAP_FAILED);
        segment_ = static_cast<char*>(mapping);
        if (::ftruncate(memory_.get(), 0) == -1)
            GTEST_SKIP() << "this system does not permit cutting off shared memory";
    }
    void TearDown() override { ::munmap(segment_, bytes_); }

    void explain(std::span<const char> segment, void (*if_gone)() = nullptr) const {
        const rlimit none{};
        ::setrlimit(RLIMIT_CORE, &none);
        explain_memory_faults(segment, if_gone);
    }
    void touch() const { static_cast<volatile char*>(segment_)[bytes_ - 1] = 1; }

    const size_t bytes_ = static_cast<size_t>(::sysconf(_SC_PAGESIZE)) * 2;
    UniqueFd memory_ = open_unlinked_memory();
    char* segment_ = nullptr;
};

using MemoryFaultDeathTest = MemoryFaultTest;

TEST_F(MemoryFaultDeathTest, ReportsAMissingPageOfTheSegment) {
    EXPECT_EXIT(
        {
            explain({segment_, bytes_});
            touch();
        },
        testing::KilledBySignal(SIGBUS), "chatserv: SIGBUS: part of the shared memory is gone");
}

TEST_F(MemoryFaultDeathTest, ReportsAMissingPageOfOtherMemory) {
    EXPECT_EXIT(
        {
            explain({segment_, 1});
            touch();
        },
        testing::KilledBySignal(SIGBUS), "chatserv: SIGBUS: memory outside the segment is gone");
}

TEST_F(MemoryFaultDeathTest, MakesTheCallOnlyForTheSegment) {
    static constexpr int called = 3;
    EXPECT_EXIT(
        {
            explain({segment_, bytes_}, [] { ::_exit(called); });
            touch();
        },
        testing::ExitedWithCode(called), "chatserv: SIGBUS: part of the shared memory is gone");
    EXPECT_EXIT(
        {
            explain({segment_, 1}, [] { ::_exit(called); });
            touch();
        },
        testing::KilledBySignal(SIGBUS), "chatserv: SIGBUS: memory outside the segment is gone");
}

TEST_F(MemoryFaultDeathTest, ReportsASignalThatAProcessSent) {
    EXPECT_EXIT(
        {
            explain({segment_, bytes_});
            ::kill(::getpid(), SIGBUS);
        },
        testing::KilledBySignal(SIGBUS), "chatserv: SIGBUS: another process sent it");
}

// A reader that has stopped reading: the line is left out, and nothing waits.
TEST_F(MemoryFaultTest, DoesNotWaitForAReaderOfTheLine) {
    const FdPair log = make_pipe();
    const std::string filler(4096, '.');
    while (::write(log.second.get(), filler.data(), filler.size()) > 0) {
    }
    const int flags = ::fcntl(log.second.get(), F_GETFL);
    ASSERT_EQ(::fcntl(log.second.get(), F_SETFL, flags & ~O_NONBLOCK), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(log.second.get(), STDERR_FILENO);
        explain({segment_, bytes_});
        touch();
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS) << status;
}

} // namespace
} // namespace chatserv
