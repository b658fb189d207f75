// What the Linux layer promises beyond kqueue(2): it leaves no descriptor behind, makes no system
// call for a change that is undone, does not touch descriptors of others, and refuses what it does
// not implement.
#include "kqueue_test_support.h"

#include <dirent.h>
#include <set>
#include <string>
#include <sys/epoll.h>
#include <sys/syscall.h>

namespace {
int epoll_changes = 0;
} // namespace

// Replaces the C library's function in order to count the calls.
extern "C" int epoll_ctl(int set, int operation, int fd, struct epoll_event* event) noexcept {
    ++epoll_changes;
    return static_cast<int>(::syscall(SYS_epoll_ctl, set, operation, fd, event));
}

namespace kqueue_test {
namespace {

std::set<int> open_descriptors() {
    std::set<int> numbers;
    DIR* directory = ::opendir("/proc/self/fd");
    while (const dirent* entry = ::readdir(directory)) {
        if (entry->d_name[0] != '.')
            numbers.insert(std::stoi(entry->d_name));
    }
    numbers.erase(::dirfd(directory));
    ::closedir(directory);
    return numbers;
}

// A kqueue with one use of every filter.
class BusyQueue {
public:
    BusyQueue() : pair_(make_socket_pair()), child_([] { return ::pause(); }) {
        EXPECT_EQ(queue_.change(pair_.first, EVFILT_READ, EV_ADD), 0);
        EXPECT_EQ(queue_.change(pair_.first, EVFILT_WRITE, EV_ADD), 0);
        EXPECT_EQ(queue_.change(1, EVFILT_TIMER, EV_ADD, 0, 1), 0);
        EXPECT_EQ(queue_.change(SIGUSR1, EVFILT_SIGNAL, EV_ADD), 0);
        EXPECT_EQ(queue_.change(child_.ident(), EVFILT_PROC, EV_ADD, NOTE_EXIT), 0);
        EXPECT_EQ(queue_.change(1, EVFILT_USER, EV_ADD), 0);
        EXPECT_EQ(queue_.change(file_, EVFILT_VNODE, EV_ADD, NOTE_WRITE), 0);
    }
    Queue& queue() { return queue_; }

private:
    Queue queue_;
    Pair pair_;
    Child child_;
    Fd file_{::open("/tmp", O_RDONLY)};
};

TEST(KqueueLinux, MakingAKqueueClosesTheDescriptorsOfClosedOnes) {
    { BusyQueue first; } // opens the process-wide descriptors, which stay open
    std::set<int> before;
    {
        const Queue queue;
        before = open_descriptors();
    }
    for (int turn = 0; turn < 5; ++turn)
        BusyQueue().queue().poll();
    const Queue queue;
    EXPECT_EQ(open_descriptors(), before);
}

TEST(KqueueLinux, EveryDescriptorIsCloseOnExec) {
    const BusyQueue busy;
    for (const int fd : open_descriptors()) {
        // The test's own sockets and files, which lack the flag, are not anonymous inodes.
        const std::string link = "/proc/self/fd/" + std::to_string(fd);
        std::array<char, 64> target{};
        ASSERT_GT(::readlink(link.c_str(), target.data(), target.size() - 1), 0);
        if (!std::string(target.data()).starts_with("anon_inode:"))
            continue;
        EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC) << target.data();
    }
}

TEST(KqueueLinux, AForkedChildHasNoDescriptorOfTheLayer) {
    const std::set<int> before = open_descriptors();
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD), 0);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    ASSERT_EQ(queue.change(SIGUSR1, EVFILT_SIGNAL, EV_ADD), 0);
    const Fd file(::open("/tmp", O_RDONLY));
    ASSERT_EQ(queue.change(file, EVFILT_VNODE, EV_ADD, NOTE_DELETE), 0);
    Child child([&] {
        std::set<int> expected = before;
        expected.insert({pair.first, pair.second, file});
        for (const int fd : open_descriptors()) {
            if (!expected.contains(fd))
                return 1;
        }
        return 0;
    });
    EXPECT_EQ(child.join(), 0);
}

TEST(KqueueLinux, AForkKeepsADescriptorWithTheNumberOfAClosedKqueue) {
    Queue queue;
    const int number = queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(::dup2(pair.first, number), number);
    Child child([number] { return ::fcntl(number, F_GETFD) == -1 ? 1 : 0; });
    EXPECT_EQ(child.join(), 0);
}

TEST(KqueueLinux, AnEpollSetWithTheNumberOfAClosedKqueueIsNotAKqueue) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    const int number = queue;
    queue.close();
    const Fd stranger(::epoll_create1(0));
    ASSERT_EQ(int{stranger}, number);
    epoll_event event{};
    event.events = EPOLLOUT;
    event.data.fd = 5;
    ASSERT_EQ(::epoll_ctl(stranger, EPOLL_CTL_ADD, pair.first, &event), 0);
    struct kevent heard {};
    const timespec no_time{};
    EXPECT_EQ(::kevent(number, nullptr, 0, &heard, 1, &no_time), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(::epoll_wait(stranger, &event, 1, 0), 1);
    EXPECT_EQ(event.data.fd, 5);
}

TEST(KqueueLinux, AChangeUndoneBeforeTheNextWaitCostsNoSystemCall) {
    Queue queue;
    const Pair pair = make_socket_pair();
    for (const int filter : {EVFILT_READ, EVFILT_WRITE}) {
        ASSERT_EQ(queue.change(pair.first, filter, EV_ADD), 0);
        const int before = epoll_changes;
        for (int turn = 0; turn < 10; ++turn) {
            ASSERT_EQ(queue.change(pair.first, filter, EV_DISABLE), 0);
            ASSERT_EQ(queue.change(pair.first, filter, EV_ENABLE), 0);
        }
        EXPECT_EQ(epoll_changes, before);
    }
    // The reverse, in one list of changes: a filter that was disabled, and silenced because it was
    // ready, is enabled and disabled again.
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_DISABLE), 0);
    EXPECT_TRUE(queue.poll().empty());
    const auto fd = static_cast<std::uintptr_t>(int{pair.first});
    const std::array<struct kevent, 2> undone{
        make_change(fd, EVFILT_WRITE, EV_ENABLE), make_change(fd, EVFILT_WRITE, EV_DISABLE)};
    const int before = epoll_changes;
    ASSERT_EQ(::kevent(queue, undone.data(), 2, nullptr, 0, nullptr), 0);
    EXPECT_EQ(epoll_changes, before);
    EXPECT_TRUE(queue.poll().empty());
}

TEST(KqueueLinux, EventsDoNotChangeTheEpollSet) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD | EV_CLEAR), 0);
    send(pair.second, "x");
    EXPECT_EQ(queue.wait().size(), 2U);
    const int before = epoll_changes;
    for (int turn = 0; turn < 10; ++turn)
        EXPECT_EQ(queue.one().filter, EVFILT_READ);
    EXPECT_EQ(epoll_changes, before);
}

TEST(KqueueLinux, NoDataLeavesTheErrorOfASocketForRead) {
    Queue queue;
    Pair pair = make_tcp_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, NOTE_NODATA), 0);
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(::setsockopt(pair.second, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    pair.second.close();
    const struct kevent event = queue.one();
    EXPECT_TRUE(event.flags & EV_EOF);
    EXPECT_EQ(event.fflags, 0U);
    EXPECT_EQ(event.data, 0);
    char byte = 0;
    EXPECT_EQ(::read(pair.first, &byte, 1), -1);
    EXPECT_EQ(errno, ECONNRESET);
}

extern "C" void note_nothing(int) {}

TEST(KqueueLinux, AHandledSignalWakesWithItsEventNotWithEintr) {
    Queue queue;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = note_nothing;
    ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
    ASSERT_EQ(queue.change(SIGUSR1, EVFILT_SIGNAL, EV_ADD), 0);
    const pid_t parent = ::getpid();
    Child child([parent] {
        const timespec pause = milliseconds(20);
        ::nanosleep(&pause, nullptr);
        return ::kill(parent, SIGUSR1);
    });
    struct kevent event {};
    EXPECT_EQ(::kevent(queue, nullptr, 0, &event, 1, nullptr), 1);
    EXPECT_EQ(event.filter, EVFILT_SIGNAL);
    ASSERT_EQ(queue.change(SIGUSR1, EVFILT_SIGNAL, EV_DELETE), 0);
    ::sigaction(SIGUSR1, &before, nullptr);
}

// On a BSD, a UNIX socket has all its room until the receiver is full. On Linux, bytes that are
// sent but not read take room.
TEST(KqueueLinux, WriteOfAUnixSocketWaitsForTheMark) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD), 0);
    const std::int64_t room = queue.one().data;
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD, NOTE_LOWAT, room - 100), 0);
    EXPECT_GE(queue.one().data, room - 100);
    const std::array<char, 1'000> block{};
    ASSERT_EQ(::write(pair.first, block.data(), block.size()), ssize_t{1'000});
    EXPECT_TRUE(queue.wait(30).empty());
    drain(pair.second);
    EXPECT_GE(queue.one().data, room - 100);
}

TEST(KqueueLinux, ANumberThatIsNotASignalIsRefused) {
    Queue queue;
    EXPECT_EQ(queue.change(100'000, EVFILT_SIGNAL, EV_ADD), EINVAL);
    EXPECT_EQ(queue.change(100'000, EVFILT_SIGNAL, EV_DELETE), ENOENT);
}

TEST(KqueueLinux, UnimplementedFiltersAndFlagsAreRefused) {
    Queue queue;
    const Pair pair = make_socket_pair();
    const auto self = static_cast<std::uintptr_t>(::getpid());
    EXPECT_EQ(queue.change(pair.first, EVFILT_VNODE, EV_ADD), EINVAL);
    for (const int filter : {EVFILT_AIO, EVFILT_PROCDESC, EVFILT_FS, EVFILT_LIO, EVFILT_SENDFILE,
             EVFILT_EMPTY, EVFILT_JAIL, EVFILT_JAILDESC})
        EXPECT_EQ(queue.change(pair.first, filter, EV_ADD, 0), EINVAL) << filter;
    EXPECT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_ENABLE | EV_DISABLE), EINVAL);
    EXPECT_EQ(queue.change(pair.first, EVFILT_READ, EV_DELETE), ENOENT);
    EXPECT_EQ(::kqueuex(KQUEUE_CPONFORK), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(queue.change(self, EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_TRACKERR), EINVAL);
    EXPECT_EQ(queue.change(self, EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_CHILD), EINVAL);
    constexpr unsigned jail_notes =
        NOTE_JAIL_CHILD | NOTE_JAIL_SET | NOTE_JAIL_ATTACH | NOTE_JAIL_REMOVE | NOTE_JAIL_MULTI;
    EXPECT_EQ(queue.change(0, EVFILT_JAIL, EV_ADD, jail_notes), EINVAL);
    EXPECT_EQ(queue.change(self, EVFILT_PROC, EV_ADD, NOTE_FORK), EINVAL);
    EXPECT_EQ(queue.change(self, EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_EXEC), EINVAL);
    EXPECT_EQ(queue.change(self, EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_TRACK), EINVAL);
}

TEST(KqueueLinux, NullListsAreRefused) {
    Queue queue;
    const timespec no_time{};
    EXPECT_EQ(::kevent(queue, nullptr, 1, nullptr, 0, &no_time), -1);
    EXPECT_EQ(errno, EFAULT);
    EXPECT_EQ(::kevent(queue, nullptr, 0, nullptr, 1, &no_time), -1);
    EXPECT_EQ(errno, EFAULT);
    struct kevent event {};
    EXPECT_EQ(::kevent(queue, nullptr, 0, &event, -1, &no_time), -1);
    EXPECT_EQ(errno, EINVAL);
}

} // namespace
} // namespace kqueue_test
