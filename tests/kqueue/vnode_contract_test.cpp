// The contract of EVFILT_VNODE: what is reported about files, by which filters, and when.
#include "kqueue_test_support.h"

#include <cstdio>
#include <sys/stat.h>

namespace kqueue_test {
namespace {

constexpr unsigned changes =
    NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_LINK | NOTE_RENAME;

class VnodeContract : public testing::Test {
protected:
    int add(const Fd& fd, unsigned notes, unsigned flags = EV_CLEAR, void* udata = nullptr) {
        return queue_.change(fd, EVFILT_VNODE, EV_ADD | flags, notes, 0, udata);
    }
    // Returns the notes of the only event, which must be about `fd`.
    unsigned notes_of(const Fd& fd) {
        const struct kevent event = queue_.one();
        EXPECT_EQ(event.filter, EVFILT_VNODE);
        EXPECT_EQ(event.ident, static_cast<std::uintptr_t>(int{fd}));
        EXPECT_EQ(event.data, 0);
        EXPECT_FALSE(event.flags & EV_ERROR);
        return event.fflags;
    }
    bool has_no_event() { return queue_.poll().empty(); }

    Fd open(const std::string& path, int flags = O_RDWR) {
        Fd fd(::open(path.c_str(), flags | O_CREAT, 0600));
        EXPECT_NE(int{fd}, -1) << path;
        return fd;
    }

    TemporaryDirectory directory_;
    const std::string name_ = directory_ / "file";
    const std::string other_name_ = directory_ / "other";
    Fd file_ = open(name_);
    Queue queue_;
};

TEST_F(VnodeContract, EarlierChangesAreNotReported) {
    send(file_, "before");
    ASSERT_EQ(add(file_, changes), 0);
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, AWriteThatExtends) {
    ASSERT_EQ(add(file_, NOTE_WRITE | NOTE_EXTEND), 0);
    send(file_, "hello");
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_WRITE | NOTE_EXTEND});
    EXPECT_TRUE(has_no_event());
    ASSERT_EQ(::pwrite(file_, "HELL", 4, 0), 4);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_WRITE});
    ASSERT_EQ(::pwrite(file_, "OO", 2, 4), 2);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_WRITE | NOTE_EXTEND});
}

TEST_F(VnodeContract, WriteAndExtendCanBeAskedForSeparately) {
    ASSERT_EQ(add(file_, NOTE_EXTEND), 0);
    send(file_, "hello");
    EXPECT_TRUE(notes_of(file_) & NOTE_EXTEND);
    ASSERT_EQ(::pwrite(file_, "HELLO", 5, 0), 5);
    EXPECT_TRUE(has_no_event());
    ASSERT_EQ(add(file_, NOTE_WRITE), 0);
    ASSERT_EQ(::pwrite(file_, "hello", 5, 0), 5);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_WRITE});
}

TEST_F(VnodeContract, ATruncation) {
    send(file_, "hello");
    ASSERT_EQ(add(file_, changes), 0);
    ASSERT_EQ(::ftruncate(file_, 2), 0);
    const unsigned notes = notes_of(file_);
    EXPECT_TRUE(notes & NOTE_ATTRIB);
    EXPECT_FALSE(notes & (NOTE_EXTEND | NOTE_DELETE | NOTE_LINK | NOTE_RENAME));
    ASSERT_EQ(::pwrite(file_, "llo", 3, 2), 3); // longer than at the last event
    EXPECT_TRUE(notes_of(file_) & NOTE_EXTEND);
}

TEST_F(VnodeContract, Attributes) {
    ASSERT_EQ(add(file_, changes), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB});
    const std::array<timespec, 2> times{timespec{1'000, 0}, timespec{2'000, 0}};
    ASSERT_EQ(::futimens(file_, times.data()), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB});
    ASSERT_EQ(::fchown(file_, ::geteuid(), ::getegid()), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB});
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, ANewName) {
    ASSERT_EQ(add(file_, changes), 0);
    ASSERT_EQ(::link(name_.c_str(), other_name_.c_str()), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_LINK});
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, ARemovedName) {
    ASSERT_EQ(::link(name_.c_str(), other_name_.c_str()), 0);
    ASSERT_EQ(add(file_, changes), 0);
    ASSERT_EQ(::unlink(other_name_.c_str()), 0);
    const unsigned notes = notes_of(file_);
    EXPECT_TRUE(notes & (NOTE_DELETE | NOTE_LINK)); // systems differ in which of them they report
    EXPECT_EQ(notes & ~static_cast<unsigned>(NOTE_DELETE | NOTE_LINK), 0U);
}

TEST_F(VnodeContract, TheLastNameOfAnOpenFileIsRemoved) {
    ASSERT_EQ(add(file_, NOTE_DELETE), 0);
    ASSERT_EQ(::unlink(name_.c_str()), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_DELETE});
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, AFileWithoutANameIsStillWatched) {
    ASSERT_EQ(::unlink(name_.c_str()), 0);
    ASSERT_EQ(add(file_, changes), 0);
    send(file_, "hello");
    EXPECT_TRUE(notes_of(file_) & NOTE_WRITE);
}

TEST_F(VnodeContract, SeveralRenames) {
    ASSERT_EQ(add(file_, changes), 0);
    for (int turn = 0; turn < 2; ++turn) {
        ASSERT_EQ(std::rename(name_.c_str(), other_name_.c_str()), 0);
        EXPECT_EQ(notes_of(file_), unsigned{NOTE_RENAME});
        ASSERT_EQ(std::rename(other_name_.c_str(), name_.c_str()), 0);
        EXPECT_EQ(notes_of(file_), unsigned{NOTE_RENAME});
    }
    EXPECT_TRUE(has_no_event());
    send(file_, "still the same");
    EXPECT_TRUE(notes_of(file_) & NOTE_WRITE);
}

TEST_F(VnodeContract, ARenameOntoAFileDeletesThatFile) {
    const Fd target = open(other_name_);
    ASSERT_EQ(add(target, NOTE_DELETE), 0);
    ASSERT_EQ(add(file_, NOTE_RENAME), 0);
    ASSERT_EQ(std::rename(name_.c_str(), other_name_.c_str()), 0);
    Events events = queue_.wait();
    if (events.size() == 1) {
        const Events more = queue_.wait();
        events.insert(events.end(), more.begin(), more.end());
    }
    ASSERT_EQ(events.size(), 2U);
    const struct kevent* source = find(events, file_, EVFILT_VNODE);
    const struct kevent* gone = find(events, target, EVFILT_VNODE);
    ASSERT_TRUE(source != nullptr && gone != nullptr);
    EXPECT_EQ(source->fflags, unsigned{NOTE_RENAME});
    EXPECT_EQ(gone->fflags, unsigned{NOTE_DELETE});
}

TEST_F(VnodeContract, AllChangesAreReportedTogether) {
    int mark = 0;
    ASSERT_EQ(add(file_, changes, EV_CLEAR, &mark), 0);
    send(file_, "hello");
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    ASSERT_EQ(::link(name_.c_str(), (directory_ / "link").c_str()), 0);
    ASSERT_EQ(std::rename(name_.c_str(), other_name_.c_str()), 0);
    const struct kevent event = queue_.one();
    EXPECT_EQ(
        event.fflags, unsigned{NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_LINK | NOTE_RENAME});
    EXPECT_EQ(event.udata, &mark);
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, OnlyTheNotesAskedForAreReported) {
    ASSERT_EQ(add(file_, NOTE_RENAME), 0);
    send(file_, "hello");
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_TRUE(has_no_event());
    ASSERT_EQ(add(file_, 0), 0);
    ASSERT_EQ(std::rename(name_.c_str(), other_name_.c_str()), 0);
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, WithoutClearTheNotesAreReportedAgain) {
    ASSERT_EQ(add(file_, NOTE_WRITE | NOTE_ATTRIB, 0), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB});
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB});
    ASSERT_EQ(::ftruncate(file_, 10), 0);
    ASSERT_EQ(::pwrite(file_, "hello", 5, 0), 5);
    EXPECT_EQ(
        notes_of(file_), unsigned{NOTE_WRITE | NOTE_ATTRIB} | (notes_of(file_) & NOTE_EXTEND));
    ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), 0);
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, OneshotIsGoneAfterItsEvent) {
    ASSERT_EQ(add(file_, NOTE_ATTRIB, EV_ONESHOT), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB});
    ASSERT_EQ(::fchmod(file_, 0600), 0);
    EXPECT_TRUE(has_no_event());
    EXPECT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), ENOENT);
    ASSERT_EQ(add(file_, NOTE_ATTRIB, EV_ONESHOT), 0);
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, DispatchIsDisabledByItsEvent) {
    ASSERT_EQ(add(file_, NOTE_ATTRIB, EV_DISPATCH | EV_CLEAR), 0);
    for (int turn = 0; turn < 3; ++turn) {
        ASSERT_EQ(::fchmod(file_, 0640), 0);
        EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB});
        ASSERT_EQ(::fchmod(file_, 0600), 0);
        EXPECT_TRUE(has_no_event());
        ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_ENABLE, NOTE_ATTRIB), 0);
        EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB}); // changes made while it was disabled
        ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_ENABLE, NOTE_ATTRIB), 0);
        EXPECT_TRUE(has_no_event());
    }
}

TEST_F(VnodeContract, ChangesWhileDisabledAreReportedLater) {
    ASSERT_EQ(add(file_, changes, EV_CLEAR | EV_DISABLE), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_TRUE(has_no_event());
    ASSERT_EQ(std::rename(name_.c_str(), other_name_.c_str()), 0);
    ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_ENABLE, changes), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB | NOTE_RENAME});
    ASSERT_EQ(::fchmod(file_, 0600), 0);
    ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DISABLE, changes), 0);
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, AddingAgainReplacesTheNotesAskedFor) {
    int first = 0;
    int second = 0;
    ASSERT_EQ(add(file_, NOTE_ATTRIB, EV_CLEAR, &first), 0);
    ASSERT_EQ(add(file_, NOTE_DELETE, EV_CLEAR, &second), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    EXPECT_TRUE(has_no_event());
    ASSERT_EQ(::unlink(name_.c_str()), 0);
    const struct kevent event = queue_.one();
    EXPECT_EQ(event.fflags, unsigned{NOTE_DELETE});
    EXPECT_EQ(event.udata, &second);
}

TEST_F(VnodeContract, AddingAgainKeepsGatheredNotes) {
    ASSERT_EQ(add(file_, NOTE_ATTRIB), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    ASSERT_EQ(add(file_, NOTE_RENAME), 0);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_ATTRIB});
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, DeletingForgetsGatheredNotes) {
    ASSERT_EQ(add(file_, changes), 0);
    ASSERT_EQ(::fchmod(file_, 0640), 0);
    ASSERT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), 0);
    EXPECT_TRUE(has_no_event());
    EXPECT_EQ(queue_.change(file_, EVFILT_VNODE, EV_DELETE), ENOENT);
    ASSERT_EQ(add(file_, changes), 0);
    EXPECT_TRUE(has_no_event());
}

TEST_F(VnodeContract, AChangeByAnotherProcessEndsTheWait) {
    ASSERT_EQ(add(file_, NOTE_WRITE), 0);
    Child child([this] {
        const timespec pause = milliseconds(20);
        ::nanosleep(&pause, nullptr);
        return ::write(file_, "x", 1) == 1 ? 0 : 1;
    });
    EXPECT_TRUE(notes_of(file_) & NOTE_WRITE);
    EXPECT_EQ(child.join(), 0);
}

#if defined(NOTE_OPEN) && defined(NOTE_CLOSE_WRITE)
TEST_F(VnodeContract, OpeningReadingAndClosing) {
    send(file_, "hello");
    ASSERT_EQ(add(file_, NOTE_OPEN | NOTE_CLOSE | NOTE_CLOSE_WRITE | NOTE_READ), 0);
    Fd reader = open(name_, O_RDONLY);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_OPEN});
    char byte = 0;
    ASSERT_EQ(::read(reader, &byte, 1), 1);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_READ});
    reader.close();
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_CLOSE});
    Fd writer = open(name_, O_WRONLY);
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_OPEN});
    writer.close();
    EXPECT_EQ(notes_of(file_), unsigned{NOTE_CLOSE_WRITE});
    EXPECT_TRUE(has_no_event());
}
#endif

} // namespace
} // namespace kqueue_test
