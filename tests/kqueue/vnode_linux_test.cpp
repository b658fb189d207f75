// What the Linux layer promises for EVFILT_VNODE beyond kqueue(2): it leaves no inotify(7) watch
// behind, makes none without need, and reports changes even if inotify's queue overflows.
#include "kqueue_test_support.h"

#include <cstdio>
#include <fstream>
#include <sys/stat.h>

namespace kqueue_test {
namespace {

namespace fs = std::filesystem;

// The numbers of this process's inotify descriptors.
std::vector<std::string> inotify_descriptors() {
    std::vector<std::string> numbers;
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone; // the directory iterator's own descriptor may be closed already
        if (fs::read_symlink(entry.path(), gone) == "anon_inode:inotify")
            numbers.push_back(entry.path().filename());
    }
    return numbers;
}

// The number of watches of all inotify descriptors.
int watches() {
    int count = 0;
    for (const std::string& number : inotify_descriptors()) {
        std::ifstream information("/proc/self/fdinfo/" + number);
        for (std::string line; std::getline(information, line);)
            count += line.starts_with("inotify wd:") ? 1 : 0;
    }
    return count;
}

class VnodeLinux : public testing::Test {
protected:
    Fd open(const std::string& path, int flags = O_RDWR | O_CREAT) {
        Fd fd(::open(path.c_str(), flags, 0600));
        EXPECT_NE(int{fd}, -1) << path;
        return fd;
    }
    int add(const Fd& fd, unsigned notes) {
        return queue_.change(fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, notes);
    }

    TemporaryDirectory directory_;
    const std::string name_ = directory_ / "file";
    Fd file_ = open(name_);
    Queue queue_;
};

TEST_F(VnodeLinux, OnlyAKqueueThatWatchesFilesOpensInotify) {
    ASSERT_EQ(queue_.change(file_, EVFILT_WRITE, EV_ADD), 0);
    ASSERT_EQ(queue_.change(1, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    EXPECT_EQ(queue_.wait().size(), 1U);
    EXPECT_TRUE(inotify_descriptors().empty());
    ASSERT_EQ(add(file_, NOTE_WRITE), 0);
    EXPECT_EQ(inotify_descriptors().size(), 1U);
    EXPECT_EQ(watches(), 1);
}

TEST_F(VnodeLinux, DescriptorsOfAFileShareAWatchUntilTheLastIsDeleted) {
    const Fd second = open(name_);
    ASSERT_EQ(add(file_, NOTE_WRITE), 0);
    ASSERT_EQ(add(second, NOTE_ATTRIB), 0);
    EXPECT_EQ(watches(), 1);
    ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), 0);
    EXPECT_EQ(watches(), 1);
    ASSERT_EQ(queue_.change(second, EVFILT_VNODE, EV_DELETE), 0);
    EXPECT_EQ(watches(), 0);
    ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_ADD | EV_ONESHOT, NOTE_ATTRIB), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_EQ(queue_.wait().size(), 1U);
    EXPECT_EQ(watches(), 0);
}

TEST_F(VnodeLinux, AReadFilterAtTheEndOfAFileLeavesNoWatch) {
    ASSERT_EQ(queue_.change(file_, EVFILT_READ, EV_ADD), 0);
    EXPECT_TRUE(queue_.poll().empty());
    EXPECT_EQ(watches(), 1);
    ASSERT_EQ(queue_.change(file_, EVFILT_READ, EV_DELETE), 0);
    EXPECT_EQ(watches(), 0);
}

TEST_F(VnodeLinux, AClosedDescriptorIsWatchedUntilItsFileChanges) {
    const Fd writer = open(name_);
    ASSERT_EQ(add(file_, NOTE_RENAME | NOTE_WRITE), 0);
    file_.close();
    send(writer, "x");
    EXPECT_TRUE(queue_.poll().empty());
    EXPECT_EQ(watches(), 0);
}

TEST_F(VnodeLinux, AClosedAndRemovedFileIsNotWatched) {
    ASSERT_EQ(add(file_, NOTE_RENAME), 0);
    ASSERT_EQ(::unlink(name_.c_str()), 0);
    file_.close();
    EXPECT_EQ(watches(), 0);
    EXPECT_TRUE(queue_.poll().empty());
    const Fd next = open(name_);
    ASSERT_EQ(add(next, NOTE_ATTRIB), 0);
    ASSERT_EQ(::fchmod(next, 0640), 0);
    EXPECT_EQ(queue_.one().fflags, unsigned{NOTE_ATTRIB});
}

TEST_F(VnodeLinux, OnlyTheRemovalOfADirectoryNeedsAWatchOnItsParent) {
    const std::string name = directory_ / "d";
    ASSERT_EQ(::mkdir(name.c_str(), 0700), 0);
    const Fd directory = open(name, O_RDONLY);
    ASSERT_EQ(add(directory, NOTE_WRITE | NOTE_RENAME), 0);
    EXPECT_EQ(watches(), 1);
    ASSERT_EQ(add(directory, NOTE_DELETE), 0);
    EXPECT_EQ(watches(), 2);
    ASSERT_EQ(add(directory, NOTE_WRITE), 0);
    EXPECT_EQ(watches(), 1);
    ASSERT_EQ(add(directory, NOTE_DELETE), 0);
    ASSERT_EQ(queue_.change(directory, EVFILT_VNODE, EV_DELETE), 0);
    EXPECT_EQ(watches(), 0);
}

TEST_F(VnodeLinux, TheRootHasNoParent) {
    const Fd root = open("/", O_RDONLY);
    ASSERT_EQ(add(root, NOTE_DELETE | NOTE_WRITE), 0);
    EXPECT_EQ(watches(), 1);
    ASSERT_EQ(queue_.change(root, EVFILT_VNODE, EV_DELETE), 0);
    EXPECT_EQ(watches(), 0);
}

// Makes more changes than inotify queues. inotify merges equal neighbours, so neighbours differ.
TEST_F(VnodeLinux, ChangesAreReportedWhenInotifysQueueOverflows) {
    int limit = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
    if (limit <= 0 || limit > 100'000)
        GTEST_SKIP() << "fs.inotify.max_queued_events is " << limit << ": too large to overflow";
    const Fd other = open(directory_ / "other");
    ASSERT_EQ(add(other, NOTE_ATTRIB | NOTE_WRITE), 0);
    ASSERT_EQ(add(file_, NOTE_DELETE | NOTE_EXTEND), 0);
    for (int i = 0; i < limit; ++i) {
        ASSERT_EQ(::fchmod(other, i % 2 == 0 ? 0640 : 0600), 0);
        ASSERT_EQ(::pwrite(other, "x", 1, 0), 1);
    }
    send(file_, "hello");
    ASSERT_EQ(::unlink(name_.c_str()), 0);
    const Events events = queue_.wait();
    EXPECT_EQ(events.size(), 2U);
    const struct kevent* event = find(events, file_, EVFILT_VNODE);
    ASSERT_NE(event, nullptr);
    EXPECT_TRUE(event->fflags & NOTE_DELETE);
    EXPECT_TRUE(event->fflags & NOTE_EXTEND);
    EXPECT_TRUE(queue_.poll().empty());
    send(file_, "x");
    EXPECT_TRUE(queue_.one().fflags & NOTE_EXTEND);
}

TEST_F(VnodeLinux, AMissingFilterIsRefused) {
    EXPECT_EQ(add(file_, NOTE_WRITE | 0x0800), EINVAL);
    EXPECT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), ENOENT);
    EXPECT_EQ(add(open("/dev/null", O_RDONLY), NOTE_WRITE), EINVAL);
    EXPECT_EQ(add(Fd(::dup(queue_)), NOTE_WRITE), EINVAL);
    EXPECT_EQ(watches(), 0);
}

// Programs written for a BSD ask for NOTE_REVOKE together with other notes.
TEST_F(VnodeLinux, ARevokeCanBeAskedForAndIsNeverReported) {
    const Fd second = open(name_);
    ASSERT_EQ(add(second, NOTE_REVOKE), 0);
    ASSERT_EQ(add(file_, NOTE_DELETE | NOTE_REVOKE), 0);
    ASSERT_EQ(::unlink(name_.c_str()), 0);
    const struct kevent event = queue_.one();
    EXPECT_EQ(event.ident, static_cast<uintptr_t>(int{file_}));
    EXPECT_EQ(event.fflags, unsigned{NOTE_DELETE});
    EXPECT_TRUE(queue_.poll().empty()) << "an event without a revoke";
}

TEST_F(VnodeLinux, AFileWithoutReadPermissionIsRefused) {
    Child child([this] {
        const Fd writable = open(directory_ / "writable", O_WRONLY | O_CREAT);
        if (::fchmod(writable, 0200) != 0)
            return 1;
        const Fd readable = open(directory_ / "readable");
        if (::fchmod(readable, 0644) != 0 || ::fchmod(writable, 0200) != 0)
            return 2;
        if (::geteuid() == 0 && ::setuid(65'534) != 0)
            return 3;
        Queue own;
        const auto add_to = [&own](const Fd& fd) {
            return own.change(fd, EVFILT_VNODE, EV_ADD, NOTE_WRITE);
        };
        if (add_to(readable) != 0)
            return 4;
        return add_to(writable) == EACCES ? 0 : 5;
    });
    EXPECT_EQ(child.join(), 0);
}

} // namespace
} // namespace kqueue_test
