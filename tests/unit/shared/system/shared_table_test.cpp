// What the code relies on when two processes share a descriptor table: what the kernel does, and
// what the kqueue layer does.
#include "shared/system/shared_table.h"

#include "shared/system/event_queue.h"
#include "shared/system/fd.h"
#include "shared/system/open_descriptors.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

class SharedTable : public testing::Test {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "this system has no table that two processes share";
    }

    // Runs in a child that shares the table; a result of false is a failure. The wait status.
    static int run_in_child(const std::function<bool()>& deed) {
        const pid_t child = start_sharing_descriptors();
        if (child == 0)
            ::_exit(deed() ? 0 : 1);
        int status = -1;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return status;
    }

    static int run_in_child_with_own_table(const std::function<bool()>& deed) {
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(deed() ? 0 : 1);
        int status = -1;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return status;
    }

    // As proc(5) tells it; 0 where it does not.
    static int table_size() {
        std::ifstream file("/proc/self/status");
        for (std::string line; std::getline(file, line);)
            if (line.starts_with("FDSize:"))
                return std::stoi(line.substr(line.find('\t')));
        return 0;
    }

    static bool is_among(
        const std::vector<OpenDescriptor>& open, const OpenDescriptor& descriptor) {
        return std::any_of(open.begin(), open.end(), [&](const OpenDescriptor& other) {
            return other.fd == descriptor.fd && other.inode == descriptor.inode &&
                   other.device == descriptor.device;
        });
    }

    static bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
};

TEST_F(SharedTable, ADescriptorOfTheChildOutlivesItsSigkill) {
    // The child has no other way to say which descriptor it opened: its memory is its own.
    const FdPair pipe = make_pipe();
    const int status = run_in_child([&] {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1 ||
            ::write(pipe.second.get(), ends, sizeof ends) != sizeof ends)
            return false;
        ::kill(::getpid(), SIGKILL);
        return false;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << status;

    std::array<int, 2> ends{};
    ASSERT_EQ(::read(pipe.first.get(), ends.data(), sizeof ends), ssize_t{sizeof ends});
    const UniqueFd one(ends[0]);
    const UniqueFd other(ends[1]);
    EXPECT_EQ(::write(one.get(), "x", 1), 1) << errno;
    char byte = 0;
    EXPECT_EQ(::read(other.get(), &byte, 1), 1) << "the peer's end is closed: " << errno;
    EXPECT_EQ(byte, 'x');
}

TEST_F(SharedTable, WhatOneProcessClosesIsClosedInTheOther) {
    UniqueFd fd(::dup(STDERR_FILENO));
    EXPECT_EQ(run_in_child([&] { return ::close(fd.get()) == 0; }), 0);
    EXPECT_FALSE(is_open(fd.get()));
    (void)fd.release();
}

TEST_F(SharedTable, MemoryIsNotShared) {
    int word = 1;
    EXPECT_EQ(run_in_child([&] {
        word = 2;
        return true;
    }),
        0);
    EXPECT_EQ(word, 1);
}

TEST_F(SharedTable, AForkedChildOfTheChildSharesNothing) {
    const UniqueFd fd(::dup(STDERR_FILENO));
    EXPECT_EQ(run_in_child([&] {
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(fd.get());
            ::_exit(0);
        }
        int status = -1;
        return ::waitpid(child, &status, 0) == child && status == 0;
    }),
        0);
    EXPECT_TRUE(is_open(fd.get()));
}

TEST_F(SharedTable, TheChildKnowsItsOwnPidAndCanAbort) {
    const pid_t parent = ::getpid();
    EXPECT_EQ(run_in_child([&] { return ::getpid() != parent && ::getppid() == parent; }), 0);
    const rlimit no_core{0, 0};
    const int status = run_in_child([&] {
        ::setrlimit(RLIMIT_CORE, &no_core);
        std::signal(SIGABRT, SIG_DFL);
        std::abort();
        return false;
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

// As after a fork(2) on a BSD, but the kqueues' descriptors are the parent's own.
TEST_F(SharedTable, TheChildHasNoKqueueAndLeavesTheParentsAlone) {
    EventQueue parents;
    const FdPair pipe = make_pipe();
    ASSERT_EQ(parents.watch_readable(pipe.first.get(), Tag(1)), 0);
    ASSERT_EQ(parents.watch_signal(SIGUSR1), 0);
    ASSERT_EQ(parents.set_timer(1, std::chrono::hours(1)), 0);
    const auto before = open_descriptors(0, 256);
    EXPECT_EQ(run_in_child([&] {
        EventQueue own;
        const FdPair other = make_pipe();
        bool works = own.watch_readable(other.first.get(), Tag(2)) == 0 &&
                     own.watch_signal(SIGCHLD) == 0 && ::write(other.second.get(), "x", 1) == 1;
        const auto events = own.wait(std::chrono::seconds(20));
        works = works && events.size() == 1 && tag_of(events[0]).word() == Tag(2).word();
        struct sigaction action {};
        return works && ::sigaction(SIGUSR1, nullptr, &action) == 0 && action.sa_handler == SIG_DFL;
    }),
        0);
    const auto after = open_descriptors(0, 256);
    for (const OpenDescriptor& descriptor : before)
        EXPECT_TRUE(is_among(after, descriptor)) << "descriptor " << descriptor.fd;
    for (const OpenDescriptor& descriptor : after) // what the layer had for the child's kqueue
        if (!is_among(before, descriptor))
            ::close(descriptor.fd);
    ASSERT_EQ(::write(pipe.second.get(), "x", 1), 1);
    EXPECT_EQ(parents.wait(std::chrono::seconds(20)).size(), 1U);
    std::signal(SIGUSR1, SIG_IGN);
    ::kill(::getpid(), SIGUSR1);
    char byte = 0;
    ASSERT_EQ(::read(pipe.first.get(), &byte, 1), 1);
    const auto events = parents.wait(std::chrono::seconds(20));
    ASSERT_EQ(events.size(), 1U);
    EXPECT_TRUE(is_signal(events[0]));
}

TEST_F(SharedTable, ASubreaperGetsTheOrphansOfItsChild) {
    EXPECT_EQ(run_in_child([] {
        if (!become_subreaper())
            return false;
        const FdPair pid_of_orphan = make_pipe();
        const pid_t between = ::fork();
        if (between == 0) {
            const pid_t orphan = ::fork();
            if (orphan == 0) {
                const pid_t own = ::getpid();
                (void)!::write(pid_of_orphan.second.get(), &own, sizeof own);
                ::_exit(42);
            }
            ::_exit(0);
        }
        ::waitpid(between, nullptr, 0);
        int status = 0;
        const pid_t orphan = ::waitpid(-1, &status, 0);
        pid_t said = -1;
        return ::read(pid_of_orphan.first.get(), &said, sizeof said) == sizeof said &&
               said == orphan && WIFEXITED(status) && WEXITSTATUS(status) == 42;
    }),
        0);
}

TEST_F(SharedTable, AGrownTableHasNoDescriptorMore) {
    const auto before = open_descriptors(0, descriptor_numbers_end());
    grow_descriptor_table(descriptor_numbers_end() + 1); // refused, and that is no fault
    EXPECT_EQ(open_descriptors(0, descriptor_numbers_end()).size(), before.size());
    // In a child, so that the table of the other tests stays as it is.
    EXPECT_EQ(run_in_child_with_own_table([] {
        const int size = table_size();
        const int limit = std::min(descriptor_numbers_end(), 4 * std::max(size, 256));
        const auto open = open_descriptors(0, limit).size();
        grow_descriptor_table(limit);
        return open_descriptors(0, limit).size() == open && (size == 0 || table_size() >= limit);
    }),
        0);
}

TEST(OpenDescriptors, AreFoundWithWhatTheyAre) {
    const FdPair stream = make_stream_pair();
    const UniqueFd duplicate(::dup(stream.first.get()));
    const FdPair pipe = make_pipe();
    const auto open = open_descriptors(0, descriptor_numbers_end());
    const auto find = [&](const UniqueFd& fd) {
        const auto found = std::find_if(open.begin(), open.end(),
            [&](const OpenDescriptor& descriptor) { return descriptor.fd == fd.get(); });
        EXPECT_NE(found, open.end());
        return found == open.end() ? OpenDescriptor{} : *found;
    };
    EXPECT_TRUE(find(stream.first).is_socket);
    EXPECT_FALSE(find(pipe.first).is_socket);
    EXPECT_EQ(find(stream.first).inode, find(duplicate).inode);
    EXPECT_EQ(find(stream.first).device, find(duplicate).device);
    EXPECT_NE(find(stream.first).inode, find(stream.second).inode);
    EXPECT_TRUE(std::is_sorted(open.begin(), open.end(),
        [](const OpenDescriptor& a, const OpenDescriptor& b) { return a.fd < b.fd; }));

    const auto some = open_descriptors(stream.first.get(), stream.first.get() + 1);
    ASSERT_EQ(some.size(), 1U);
    EXPECT_EQ(some[0].fd, stream.first.get());
}

// Several hundred in a row and some far above, with a limit that allows poll(2) few of them or
// many.
TEST(OpenDescriptors, AreFoundWhateverTheLimitIsNow) {
    const pid_t child = ::fork();
    if (child == 0) {
        const int count = std::min(descriptor_numbers_end() / 2, 1500);
        const auto before = open_descriptors(0, descriptor_numbers_end()).size();
        size_t opened = 0;
        for (int i = 0; i < count; ++i)
            opened += ::dup(STDERR_FILENO) == -1 ? 0 : 1;
        const int high = ::fcntl(STDERR_FILENO, F_DUPFD, descriptor_numbers_end() - 1);
        const auto all = open_descriptors(0, high + 1);
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = 64;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        const auto again = open_descriptors(0, high + 1);
        ::_exit(all.size() == before + opened + 1 && all.back().fd == high &&
                        again.size() == all.size() && again.back().fd == high
                    ? 0
                    : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(OpenDescriptors, AreClosedFromANumberUp) {
    const pid_t child = ::fork();
    if (child == 0) {
        const int high = ::fcntl(STDERR_FILENO, F_DUPFD, 200);
        close_descriptors_from(200);
        const bool closed = high >= 200 && ::fcntl(high, F_GETFD) == -1;
        ::_exit(closed && ::fcntl(STDERR_FILENO, F_GETFD) != -1 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

} // namespace
} // namespace chatserv
