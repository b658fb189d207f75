// The contract of kevent(2) itself: changes, answers, slots, timeouts, interruption.
#include "every_name.h"
#include "kqueue_test_support.h"

#include <chrono>
#include <map>

namespace kqueue_test {
namespace {

constexpr int number_of_ready = 50;

std::vector<Pair> make_ready_pairs(Queue& queue, unsigned flags, unsigned fflags = 0) {
    std::vector<Pair> pairs;
    for (int i = 0; i < number_of_ready; ++i) {
        pairs.push_back(make_socket_pair());
        send(pairs.back().second, "x");
        EXPECT_EQ(queue.change(pairs.back().first, EVFILT_READ, flags, fflags), 0);
    }
    return pairs;
}

extern "C" int use_kqueue_from_c(void); // c_header_test.c

TEST(KqueueContract, TheHeaderWorksInC) {
    EXPECT_EQ(use_kqueue_from_c(), 0);
}

#ifdef EVERY_NAME
extern "C" const char* find_wrong_value_in_c(void); // c_header_test.c

TEST(KqueueContract, EveryNameOfTheManualHasItsValue) {
    EXPECT_STREQ(find_wrong_value_in_c(), nullptr);
#define EXPECT_VALUE(name, value)                                                                  \
    EXPECT_EQ(static_cast<long long>(name), static_cast<long long>(value)) << #name;
    EVERY_NAME(EXPECT_VALUE)
#undef EXPECT_VALUE
}

TEST(KqueueContract, KqueuexAndKqueue1MakeAKqueueToo) {
    const Fd first(::kqueuex(KQUEUE_CLOEXEC));
    EXPECT_TRUE(::fcntl(first, F_GETFD) & FD_CLOEXEC);
    const Fd second(::kqueue1(O_CLOEXEC));
    EXPECT_TRUE(::fcntl(second, F_GETFD) & FD_CLOEXEC);
    EXPECT_EQ(::kqueuex(0x4000), -1);
    EXPECT_EQ(errno, EINVAL);
}
#endif

TEST(KqueueContract, AnEmptyKqueueHasNoEvents) {
    Queue queue;
    EXPECT_TRUE(queue.poll().empty());
}

TEST(KqueueContract, ADescriptorThatIsNotAKqueueIsRefused) {
    const timespec no_time{};
    struct kevent event {};
    const Pair pair = make_pipe();
    EXPECT_EQ(::kevent(-1, nullptr, 0, &event, 1, &no_time), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(::kevent(pair.first, nullptr, 0, &event, 1, &no_time), -1);
    EXPECT_EQ(errno, EBADF);
}

TEST(KqueueContract, AClosedKqueueIsRefused) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    const int number = queue;
    queue.close();
    const timespec no_time{};
    struct kevent event =
        make_change(static_cast<std::uintptr_t>(int{pair.first}), EVFILT_READ, EV_ADD);
    EXPECT_EQ(::kevent(number, nullptr, 0, &event, 1, &no_time), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(::kevent(number, &event, 1, nullptr, 0, nullptr), -1);
    EXPECT_EQ(errno, EBADF);
}

TEST(KqueueContract, AKqueueWithTheNumberOfAClosedOneIsEmpty) {
    Queue queue;
    const Pair pair = make_socket_pair();
    send(pair.second, "x");
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, EV_ADD), 0);
    const int number = queue;
    queue.close();
    Queue other;
    EXPECT_EQ(number, int{other});
    EXPECT_TRUE(other.wait(20).empty());
    EXPECT_EQ(other.change(pair.first, EVFILT_READ, EV_DELETE), ENOENT);
    EXPECT_EQ(other.change(1, EVFILT_USER, EV_DELETE), ENOENT);
}

TEST(KqueueContract, UnknownFiltersAndIdentsAreRefused) {
    Queue queue;
    const Pair pair = make_socket_pair();
    Fd closed(::dup(pair.first));
    const auto number = static_cast<std::uintptr_t>(int{closed});
    closed.close();
    EXPECT_EQ(queue.change(pair.first, 7, EV_ADD), EINVAL);
    EXPECT_EQ(queue.change(pair.first, -100, EV_ADD), EINVAL);
    EXPECT_EQ(queue.change(number, EVFILT_READ, EV_ADD), EBADF);
    EXPECT_EQ(queue.change(number, EVFILT_WRITE, EV_ADD), EBADF);
    EXPECT_EQ(queue.change(pair.first, EVFILT_READ, EV_DELETE), ENOENT);
    EXPECT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE), ENOENT);
    EXPECT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_DISABLE), ENOENT);
    EXPECT_EQ(queue.change(1, EVFILT_TIMER, EV_DELETE), ENOENT);
    EXPECT_EQ(queue.change(1, EVFILT_USER, 0, NOTE_TRIGGER), ENOENT);
}

#ifdef EV_FORCEONESHOT
TEST(KqueueContract, AForcedOneshotIsReportedWithoutAnEventAndRemoved) {
    Queue queue;
    const Pair pair = make_socket_pair();
    int mark = 0;
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, 0, 0, &mark), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, EV_ADD | EV_CLEAR), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_FORCEONESHOT | EV_DISABLE, 0, 0, &mark), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, EV_FORCEONESHOT), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_USER);
    EXPECT_EQ(queue.change(1, EVFILT_USER, EV_DELETE), ENOENT);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE, 0, 0, &mark), 0);
    const struct kevent event = queue.one();
    EXPECT_EQ(event.filter, EVFILT_READ);
    EXPECT_EQ(event.data, 0);
    EXPECT_EQ(event.udata, &mark);
    EXPECT_EQ(queue.change(pair.first, EVFILT_READ, EV_DELETE), ENOENT);
    EXPECT_TRUE(queue.poll().empty());
}
#endif

TEST(KqueueContract, ErrorsAndReceiptsFillTheEventlistAndReturnAtOnce) {
    Queue queue;
    const Pair pair = make_socket_pair();
    const auto fd = static_cast<std::uintptr_t>(int{pair.first});
    int mark = 0;
    std::array<struct kevent, 3> changes{
        make_change(fd, EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, &mark),
        make_change(fd, EVFILT_WRITE, EV_DELETE), make_change(fd, EVFILT_WRITE, EV_ADD)};
    std::array<struct kevent, 8> events{};
    ASSERT_EQ(::kevent(queue, changes.data(), 3, events.data(), 8, nullptr), 2);
    EXPECT_TRUE(events[0].flags & EV_ERROR);
    EXPECT_EQ(events[0].data, 0);
    EXPECT_EQ(events[0].ident, fd);
    EXPECT_EQ(events[0].filter, EVFILT_READ);
    EXPECT_EQ(events[0].udata, &mark);
    EXPECT_TRUE(events[1].flags & EV_ERROR);
    EXPECT_EQ(events[1].data, ENOENT);
    EXPECT_EQ(events[1].filter, EVFILT_WRITE);
    // The changes after the failed one were applied: EVFILT_WRITE reports the socket.
    EXPECT_EQ(queue.one().filter, EVFILT_WRITE);
}

TEST(KqueueContract, AnErrorWithoutASlotIsReturnedByTheCall) {
    Queue queue;
    const Pair pair = make_socket_pair();
    const auto fd = static_cast<std::uintptr_t>(int{pair.first});
    const std::array<struct kevent, 3> changes{make_change(1, EVFILT_USER, EV_ADD),
        make_change(fd, EVFILT_WRITE, EV_DELETE), make_change(2, EVFILT_USER, EV_ADD)};
    EXPECT_EQ(::kevent(queue, changes.data(), 3, nullptr, 0, nullptr), -1);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_EQ(queue.change(1, EVFILT_USER, EV_DELETE), 0);
    EXPECT_EQ(queue.change(2, EVFILT_USER, EV_DELETE), ENOENT); // later changes were not applied
}

TEST(KqueueContract, TheEventlistMayBeTheChangelist) {
    Queue queue;
    const Pair pair = make_socket_pair();
    const auto fd = static_cast<std::uintptr_t>(int{pair.first});
    std::array<struct kevent, 4> list{make_change(fd, EVFILT_READ, EV_ADD | EV_RECEIPT),
        make_change(7, EVFILT_USER, EV_ADD | EV_RECEIPT), make_change(8, EVFILT_USER, EV_DELETE),
        make_change(9, EVFILT_USER, EV_ADD | EV_RECEIPT)};
    ASSERT_EQ(::kevent(queue, list.data(), 4, list.data(), 4, nullptr), 4);
    EXPECT_EQ(list[0].ident, fd);
    EXPECT_EQ(list[1].ident, 7U);
    EXPECT_EQ(list[2].ident, 8U);
    EXPECT_EQ(list[2].data, ENOENT);
    EXPECT_EQ(list[3].ident, 9U);
    EXPECT_EQ(queue.change(9, EVFILT_USER, EV_DELETE), 0);
}

TEST(KqueueContract, ChangesAreAppliedBeforeTheWait) {
    Queue queue;
    const Pair pair = make_socket_pair();
    send(pair.second, "x");
    const struct kevent change =
        make_change(static_cast<std::uintptr_t>(int{pair.first}), EVFILT_READ, EV_ADD);
    struct kevent event {};
    ASSERT_EQ(::kevent(queue, &change, 1, &event, 1, nullptr), 1);
    EXPECT_EQ(event.ident, change.ident);
}

TEST(KqueueContract, NeventsZeroNeverWaits) {
    Queue queue;
    const timespec timeout = milliseconds(long_time);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(::kevent(queue, nullptr, 0, nullptr, 0, nullptr), 0);
    EXPECT_EQ(::kevent(queue, nullptr, 0, nullptr, 0, &timeout), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(KqueueContract, InvalidTimeoutsAreRefused) {
    Queue queue;
    struct kevent event {};
    for (const timespec timeout : {timespec{-1, 0}, timespec{0, -1}, timespec{0, 1'000'000'000}}) {
        EXPECT_EQ(::kevent(queue, nullptr, 0, &event, 1, &timeout), -1);
        EXPECT_EQ(errno, EINVAL);
    }
}

TEST(KqueueContract, TimeoutsAreInNanosecondsAndNeverEarly) {
    Queue queue;
    struct kevent event {};
    for (const timespec timeout : {timespec{0, 1}, timespec{0, 300'000}, timespec{0, 2'500'001}}) {
        const auto start = std::chrono::steady_clock::now();
        EXPECT_EQ(::kevent(queue, nullptr, 0, &event, 1, &timeout), 0);
        EXPECT_GE(
            std::chrono::steady_clock::now() - start, std::chrono::nanoseconds(timeout.tv_nsec));
    }
}

TEST(KqueueContract, WithMoreReadyEventsThanSlotsNothingIsLost) {
    Queue queue;
    const std::vector<Pair> pairs = make_ready_pairs(queue, EV_ADD | EV_CLEAR);
    std::map<std::uintptr_t, int> seen;
    for (Events events = queue.poll(7); !events.empty(); events = queue.poll(7)) {
        EXPECT_LE(events.size(), 7U);
        for (const struct kevent& event : events)
            ++seen[event.ident];
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(number_of_ready));
    for (const auto& [ident, times] : seen)
        EXPECT_EQ(times, 1) << ident;
}

TEST(KqueueContract, WithMoreReadyEventsThanSlotsEachOneshotIsReportedOnce) {
    Queue queue;
    const std::vector<Pair> pairs = make_ready_pairs(queue, EV_ADD | EV_ONESHOT, NOTE_NODATA);
    for (std::uintptr_t ident = 1; ident <= 5; ++ident) {
        ASSERT_EQ(queue.change(ident, EVFILT_USER, EV_ADD | EV_ONESHOT), 0);
        ASSERT_EQ(queue.change(ident, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    }
    std::size_t total = 0;
    for (Events events = queue.poll(3); !events.empty(); events = queue.poll(3))
        total += events.size();
    EXPECT_EQ(total, static_cast<std::size_t>(number_of_ready) + 5);
}

TEST(KqueueContract, WithMoreReadyEventsThanSlotsNoFilterStarves) {
    Queue queue;
    const std::vector<Pair> pairs = make_ready_pairs(queue, EV_ADD);
    for (int i = 0; i < 5; ++i) { // five of the sockets are writable as well
        ASSERT_EQ(queue.change(pairs[static_cast<std::size_t>(i)].first, EVFILT_WRITE, EV_ADD), 0);
        ASSERT_EQ(queue.change(static_cast<std::uintptr_t>(i), EVFILT_USER, EV_ADD), 0);
        ASSERT_EQ(queue.change(static_cast<std::uintptr_t>(i), EVFILT_USER, 0, NOTE_TRIGGER), 0);
    }
    std::map<std::pair<std::uintptr_t, int>, int> seen;
    for (int turn = 0; turn < 1'000; ++turn) {
        for (const struct kevent& event : queue.poll(1))
            ++seen[{event.ident, event.filter}];
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(number_of_ready) + 10);
}

extern "C" void do_nothing(int) {}

TEST(KqueueContract, EintrIsReturnedAfterTheChangesWereApplied) {
    Queue queue;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = do_nothing;
    ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
    const pid_t parent = ::getpid();
    Child child([parent] { // sends repeatedly, because the first may arrive before the wait
        for (;;) {
            const timespec pause = milliseconds(5);
            ::nanosleep(&pause, nullptr);
            ::kill(parent, SIGUSR1);
        }
        return 0;
    });
    const struct kevent change = make_change(1, EVFILT_USER, EV_ADD);
    struct kevent event {};
    EXPECT_EQ(::kevent(queue, &change, 1, &event, 1, nullptr), -1);
    EXPECT_EQ(errno, EINTR);
    ::kill(child.pid(), SIGKILL);
    child.join();
    ::sigaction(SIGUSR1, &before, nullptr);
    EXPECT_EQ(queue.change(1, EVFILT_USER, EV_DELETE), 0);
}

} // namespace
} // namespace kqueue_test
