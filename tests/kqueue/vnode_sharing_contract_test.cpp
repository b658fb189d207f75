// The contract of EVFILT_VNODE for several descriptors, filters or kqueues on one file, for closed
// descriptors, for directories, and for descriptors that it refuses.
#include "kqueue_test_support.h"

#include <cstdio>
#include <sys/stat.h>

namespace kqueue_test {
namespace {

constexpr unsigned changes =
    NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_LINK | NOTE_RENAME;

class SharedVnodeContract : public testing::Test {
protected:
    static int add(Queue& queue, const Fd& fd, unsigned notes) {
        return queue.change(fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, notes);
    }
    static unsigned notes_of(Queue& queue, const Fd& fd) {
        const struct kevent event = queue.one();
        EXPECT_EQ(event.filter, EVFILT_VNODE);
        EXPECT_EQ(event.ident, static_cast<std::uintptr_t>(int{fd}));
        return event.fflags;
    }

    Fd open(const std::string& path, int flags = O_RDWR | O_CREAT) {
        Fd fd(::open(path.c_str(), flags, 0600));
        EXPECT_NE(int{fd}, -1) << path;
        return fd;
    }
    Fd make_directory(const std::string& path) {
        EXPECT_EQ(::mkdir(path.c_str(), 0700), 0);
        return open(path, O_RDONLY);
    }

    TemporaryDirectory directory_;
    const std::string name_ = directory_ / "file";
    Fd file_ = open(name_);
    Queue queue_;
};

TEST_F(SharedVnodeContract, EachDescriptorOfAFileHasItsOwnFilter) {
    const Fd second = open(name_);
    ASSERT_EQ(::link(name_.c_str(), (directory_ / "link").c_str()), 0);
    const Fd third = open(directory_ / "link");
    ASSERT_EQ(add(queue_, file_, NOTE_WRITE), 0);
    ASSERT_EQ(add(queue_, second, NOTE_ATTRIB), 0);
    send(third, "hello");
    EXPECT_TRUE(notes_of(queue_, file_) & NOTE_WRITE);
    ASSERT_EQ(::fchmod(third, 0640), 0);
    EXPECT_EQ(notes_of(queue_, second), unsigned{NOTE_ATTRIB});
    ASSERT_EQ(add(queue_, third, NOTE_WRITE | NOTE_ATTRIB), 0);
    ASSERT_EQ(::fchmod(third, 0600), 0);
    EXPECT_EQ(queue_.wait().size(), 2U);
    ASSERT_EQ(queue_.change(second, EVFILT_VNODE, EV_DELETE), 0);
    ASSERT_EQ(::fchmod(third, 0640), 0);
    EXPECT_EQ(notes_of(queue_, third), unsigned{NOTE_ATTRIB});
    ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), 0);
    send(third, "hello");
    EXPECT_TRUE(notes_of(queue_, third) & NOTE_WRITE);
    EXPECT_TRUE(queue_.poll().empty());
}

TEST_F(SharedVnodeContract, ALaterFilterDoesNotReportEarlierChanges) {
    const Fd second = open(name_);
    ASSERT_EQ(add(queue_, file_, NOTE_WRITE | NOTE_EXTEND), 0);
    send(file_, "hello");
    ASSERT_EQ(add(queue_, second, NOTE_WRITE | NOTE_EXTEND), 0);
    EXPECT_EQ(notes_of(queue_, file_), unsigned{NOTE_WRITE | NOTE_EXTEND});
    EXPECT_TRUE(queue_.poll().empty());
}

TEST_F(SharedVnodeContract, SeveralKqueuesWatchOneDescriptor) {
    Queue other;
    ASSERT_EQ(add(queue_, file_, NOTE_ATTRIB), 0);
    ASSERT_EQ(add(other, file_, NOTE_ATTRIB | NOTE_RENAME), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_EQ(notes_of(queue_, file_), unsigned{NOTE_ATTRIB});
    ASSERT_EQ(std::rename(name_.c_str(), (directory_ / "other").c_str()), 0);
    EXPECT_EQ(notes_of(other, file_), unsigned{NOTE_ATTRIB | NOTE_RENAME});
    EXPECT_TRUE(queue_.poll().empty());
}

TEST_F(SharedVnodeContract, AReadFilterAtTheEndAndAVnodeFilterShareAFile) {
    for (const bool vnode_first : {true, false}) {
        Queue queue;
        drain(file_);
        if (vnode_first) {
            ASSERT_EQ(add(queue, file_, NOTE_WRITE), 0);
        }
        ASSERT_EQ(queue.change(file_, EVFILT_READ, EV_ADD), 0);
        EXPECT_TRUE(queue.poll().empty());
        if (!vnode_first) {
            ASSERT_EQ(add(queue, file_, NOTE_WRITE), 0);
        }
        const Fd writer = open(name_, O_WRONLY | O_APPEND);
        send(writer, "abc");
        Events events = queue.wait();
        EXPECT_NE(find(events, file_, EVFILT_READ), nullptr);
        EXPECT_NE(find(events, file_, EVFILT_VNODE), nullptr);
        EXPECT_EQ(queue.one().filter, EVFILT_READ);
        drain(file_);
        EXPECT_TRUE(queue.poll().empty());
        ASSERT_EQ(queue.change(file_, EVFILT_VNODE, EV_DELETE), 0);
        send(writer, "de");
        EXPECT_EQ(queue.one().data, 2);
        drain(file_);
        EXPECT_TRUE(queue.poll().empty());
        ASSERT_EQ(add(queue, file_, NOTE_ATTRIB), 0);
        ASSERT_EQ(queue.change(file_, EVFILT_READ, EV_DELETE), 0);
        send(writer, "f");
        EXPECT_TRUE(queue.poll().empty());
        ASSERT_EQ(::fchmod(file_, 0640), 0);
        EXPECT_EQ(notes_of(queue, file_), unsigned{NOTE_ATTRIB});
    }
}

TEST_F(SharedVnodeContract, ClosingRemovesTheFilter) {
    const Fd writer = open(name_);
    const auto number = static_cast<std::uintptr_t>(int{file_});
    ASSERT_EQ(add(queue_, file_, changes), 0);
    send(writer, "before");
    file_.close();
    EXPECT_TRUE(queue_.poll().empty());
    send(writer, "after");
    EXPECT_TRUE(queue_.poll().empty());
    EXPECT_EQ(queue_.change(number, EVFILT_VNODE, EV_DELETE), EBADF);
    EXPECT_EQ(queue_.change(number, EVFILT_VNODE, EV_ADD, changes), EBADF);
}

TEST_F(SharedVnodeContract, ClosingForgetsNotesThatWouldBeReportedAgain) {
    ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_ADD, NOTE_ATTRIB), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_EQ(notes_of(queue_, file_), unsigned{NOTE_ATTRIB});
    EXPECT_EQ(notes_of(queue_, file_), unsigned{NOTE_ATTRIB});
    file_.close();
    EXPECT_TRUE(queue_.poll().empty());
}

TEST_F(SharedVnodeContract, ClosingOneDescriptorLeavesTheOther) {
    Fd second = open(name_);
    ASSERT_EQ(add(queue_, file_, NOTE_ATTRIB), 0);
    ASSERT_EQ(add(queue_, second, NOTE_WRITE), 0);
    second.close();
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_EQ(notes_of(queue_, file_), unsigned{NOTE_ATTRIB});
    send(file_, "x");
    EXPECT_TRUE(queue_.poll().empty());
}

TEST_F(SharedVnodeContract, AnotherFileWithTheSameNumberHasNoFilter) {
    const Fd writer = open(name_);
    const Fd other = open(directory_ / "other");
    ASSERT_EQ(add(queue_, file_, changes), 0);
    ASSERT_EQ(::dup2(other, file_), int{file_});
    send(writer, "not to be seen");
    send(other, "nor this");
    EXPECT_TRUE(queue_.poll().empty());
    EXPECT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), ENOENT);
}

TEST_F(SharedVnodeContract, AddOnANumberThatIsNowAnotherFile) {
    const Fd writer = open(name_);
    const Fd other = open(directory_ / "other");
    ASSERT_EQ(add(queue_, file_, changes), 0);
    ASSERT_EQ(::dup2(other, file_), int{file_});
    ASSERT_EQ(add(queue_, file_, NOTE_WRITE), 0);
    send(writer, "not to be seen");
    EXPECT_TRUE(queue_.poll().empty());
    send(other, "x");
    EXPECT_TRUE(notes_of(queue_, file_) & NOTE_WRITE);
}

TEST_F(SharedVnodeContract, ADescriptorThatIsNotAFileIsRefused) {
    const Pair pipe = make_pipe();
    const Pair sockets = make_socket_pair();
    EXPECT_EQ(add(queue_, pipe.first, changes), EINVAL);
    EXPECT_EQ(add(queue_, sockets.first, changes), EINVAL);
    EXPECT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), ENOENT);
    EXPECT_EQ(queue_.change(file_, EVFILT_VNODE, EV_ENABLE, changes), ENOENT);
    Fd closed = open(name_);
    const auto number = static_cast<std::uintptr_t>(int{closed});
    closed.close();
    EXPECT_EQ(queue_.change(number, EVFILT_VNODE, EV_ADD, changes), EBADF);
}

TEST_F(SharedVnodeContract, ANamedFifoIsAFile) {
    const std::string name = directory_ / "fifo";
    ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
    const Fd fifo = open(name, O_RDONLY | O_NONBLOCK);
    ASSERT_EQ(add(queue_, fifo, NOTE_DELETE), 0);
    ASSERT_EQ(::unlink(name.c_str()), 0);
    EXPECT_EQ(notes_of(queue_, fifo), unsigned{NOTE_DELETE});
}

TEST_F(SharedVnodeContract, AForkedChildDoesNotAffectTheParentsFilter) {
    ASSERT_EQ(add(queue_, file_, NOTE_WRITE), 0);
    Child child([this] {
        Queue own;
        if (add(own, file_, NOTE_ATTRIB) != 0 || ::fchmod(file_, 0640) != 0)
            return 1;
        if (own.wait().size() != 1)
            return 2;
        return own.change(file_, EVFILT_VNODE, EV_DELETE);
    });
    EXPECT_EQ(child.join(), 0);
    EXPECT_TRUE(queue_.poll().empty());
    send(file_, "x");
    EXPECT_TRUE(notes_of(queue_, file_) & NOTE_WRITE);
}

TEST_F(SharedVnodeContract, ADirectoryIsWrittenWhenANameComesOrGoes) {
    const Fd directory = make_directory(directory_ / "d");
    ASSERT_EQ(add(queue_, directory, changes), 0);
    const Fd entry = open(directory_ / "d/entry");
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_WRITE});
    send(entry, "a change of a file's contents does not change its directory");
    ASSERT_EQ(::fchmod(entry, 0640), 0);
    EXPECT_TRUE(queue_.poll().empty());
    ASSERT_EQ(std::rename((directory_ / "d/entry").c_str(), (directory_ / "d/name").c_str()), 0);
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_WRITE});
    ASSERT_EQ(std::rename((directory_ / "d/name").c_str(), (directory_ / "out").c_str()), 0);
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_WRITE | NOTE_EXTEND});
    ASSERT_EQ(std::rename((directory_ / "out").c_str(), (directory_ / "d/back").c_str()), 0);
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_WRITE | NOTE_EXTEND});
    ASSERT_EQ(::unlink((directory_ / "d/back").c_str()), 0);
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_WRITE});
    ASSERT_EQ(::fchmod(directory, 0750), 0);
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_ATTRIB});
    EXPECT_TRUE(queue_.poll().empty());
}

TEST_F(SharedVnodeContract, SubdirectoriesChangeTheLinksOfADirectory) {
    const Fd directory = make_directory(directory_ / "d");
    ASSERT_EQ(add(queue_, directory, NOTE_LINK), 0);
    const Fd entry = open(directory_ / "d/entry");
    EXPECT_TRUE(queue_.poll().empty());
    const Fd below = make_directory(directory_ / "d/below");
    EXPECT_TRUE(notes_of(queue_, directory) & NOTE_LINK);
    ASSERT_EQ(std::rename((directory_ / "d/below").c_str(), (directory_ / "out").c_str()), 0);
    EXPECT_TRUE(notes_of(queue_, directory) & NOTE_LINK);
    ASSERT_EQ(std::rename((directory_ / "out").c_str(), (directory_ / "d/below").c_str()), 0);
    EXPECT_TRUE(notes_of(queue_, directory) & NOTE_LINK);
    ASSERT_EQ(::rmdir((directory_ / "d/below").c_str()), 0);
    EXPECT_TRUE(notes_of(queue_, directory) & NOTE_LINK);
    EXPECT_TRUE(queue_.poll().empty());
}

TEST_F(SharedVnodeContract, ADirectoryIsRenamedAndRemoved) {
    const Fd elsewhere = make_directory(directory_ / "elsewhere");
    const Fd directory = make_directory(directory_ / "d");
    const Fd sibling = make_directory(directory_ / "sibling");
    ASSERT_EQ(add(queue_, directory, NOTE_DELETE | NOTE_RENAME), 0);
    ASSERT_EQ(::rmdir((directory_ / "sibling").c_str()), 0);
    EXPECT_TRUE(queue_.poll().empty());
    ASSERT_EQ(std::rename((directory_ / "d").c_str(), (directory_ / "elsewhere/d").c_str()), 0);
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_RENAME});
    ASSERT_EQ(::rmdir((directory_ / "elsewhere/d").c_str()), 0);
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_DELETE});
    EXPECT_TRUE(queue_.poll().empty());
}

TEST_F(SharedVnodeContract, ADirectoryIsRemovedBeforeItsRenameIsReported) {
    const Fd elsewhere = make_directory(directory_ / "elsewhere");
    const Fd directory = make_directory(directory_ / "d");
    ASSERT_EQ(add(queue_, directory, NOTE_DELETE | NOTE_RENAME), 0);
    ASSERT_EQ(std::rename((directory_ / "d").c_str(), (directory_ / "elsewhere/d").c_str()), 0);
    ASSERT_EQ(::rmdir((directory_ / "elsewhere/d").c_str()), 0);
    EXPECT_EQ(notes_of(queue_, directory), unsigned{NOTE_DELETE | NOTE_RENAME});
}

TEST_F(SharedVnodeContract, ADirectoryAndItsParentAreReportedSeparately) {
    const Fd outer = make_directory(directory_ / "outer");
    const Fd inner = make_directory(directory_ / "outer/inner");
    ASSERT_EQ(add(queue_, inner, NOTE_DELETE), 0);
    ASSERT_EQ(add(queue_, outer, NOTE_WRITE), 0);
    ASSERT_EQ(queue_.change(outer, EVFILT_VNODE, EV_DELETE), 0);
    ASSERT_EQ(add(queue_, outer, NOTE_WRITE), 0);
    ASSERT_EQ(::rmdir((directory_ / "outer/inner").c_str()), 0);
    const Events events = queue_.wait();
    ASSERT_EQ(events.size(), 2U);
    ASSERT_NE(find(events, inner, EVFILT_VNODE), nullptr);
    EXPECT_EQ(find(events, inner, EVFILT_VNODE)->fflags, unsigned{NOTE_DELETE});
    ASSERT_NE(find(events, outer, EVFILT_VNODE), nullptr);
    EXPECT_TRUE(find(events, outer, EVFILT_VNODE)->fflags & NOTE_WRITE);
}

TEST_F(SharedVnodeContract, ARenameOntoADirectoryDeletesThatDirectory) {
    const Fd directory = make_directory(directory_ / "d");
    const Fd target = make_directory(directory_ / "target");
    ASSERT_EQ(add(queue_, target, NOTE_DELETE | NOTE_ATTRIB), 0);
    ASSERT_EQ(std::rename((directory_ / "d").c_str(), (directory_ / "target").c_str()), 0);
    EXPECT_EQ(notes_of(queue_, target), unsigned{NOTE_DELETE});
}

} // namespace
} // namespace kqueue_test
