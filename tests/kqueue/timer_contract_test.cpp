// The contract of EVFILT_TIMER and EVFILT_USER.
#include "kqueue_test_support.h"

#include <chrono>
#include <limits>
#include <poll.h>

namespace kqueue_test {
namespace {

using Clock = std::chrono::steady_clock;

// Waits until the kqueue has an event, without taking the event.
void wait_until_ready(Queue& queue) {
    pollfd asked{.fd = queue, .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&asked, 1, long_time), 1);
}

TEST(TimerContract, TimersCountExpirations) {
    Queue queue;
    const auto start = Clock::now();
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 5), 0);
    std::int64_t expirations = 0;
    while (expirations < 4) {
        const struct kevent event = queue.one();
        EXPECT_EQ(event.filter, EVFILT_TIMER);
        EXPECT_GE(event.data, 1);
        expirations += event.data;
    }
    EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(19)); // never early
    const timespec pause = milliseconds(30);
    ::nanosleep(&pause, nullptr);
    EXPECT_GE(queue.one().data, 2); // uncollected expirations are reported together
}

TEST(TimerContract, EachUnit) {
    struct Case {
        unsigned unit;
        std::int64_t count;
        std::chrono::nanoseconds time;
    };
    using namespace std::chrono_literals;
    for (const Case& each :
        {Case{0, 3, 3ms}, Case{NOTE_MSECONDS, 3, 3ms}, Case{NOTE_USECONDS, 2'500, 2'500us},
            Case{NOTE_NSECONDS, 2'500'000, 2'500us}, Case{NOTE_SECONDS, 1, 1s}}) {
        Queue queue;
        const auto start = Clock::now();
        ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, each.unit, each.count), 0);
        EXPECT_EQ(queue.one().data, 1);
        EXPECT_GE(Clock::now() - start, each.time);
        EXPECT_TRUE(queue.poll().empty());
        EXPECT_EQ(queue.change(1, EVFILT_TIMER, EV_DELETE), ENOENT);
    }
}

std::int64_t milliseconds_of_day() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
}

TEST(TimerContract, AnAbsoluteTimeExpiresOnce) {
    Queue queue;
    const std::int64_t at = milliseconds_of_day() + 20;
    ASSERT_EQ(
        queue.change(1, EVFILT_TIMER, EV_ADD | EV_CLEAR, NOTE_MSECONDS | NOTE_ABSTIME, at), 0);
    EXPECT_EQ(queue.one().data, 1);
    EXPECT_GE(milliseconds_of_day(), at);
    EXPECT_TRUE(queue.wait(20).empty());
}

// Only timers with a period are always EV_CLEAR.
TEST(TimerContract, AnAbsoluteTimeStaysReadyWithoutClear) {
    Queue queue;
    const std::int64_t at = milliseconds_of_day() + 5;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_MSECONDS | NOTE_ABSTIME, at), 0);
    for (int turn = 0; turn < 3; ++turn)
        EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_DISABLE, NOTE_MSECONDS | NOTE_ABSTIME, at), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ENABLE, NOTE_MSECONDS | NOTE_ABSTIME, at), 0);
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(
        queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_MSECONDS | NOTE_ABSTIME, at + 3'600'000), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_MSECONDS | NOTE_ABSTIME, at), 0);
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_DELETE), 0);
    EXPECT_TRUE(queue.poll().empty());
}

TEST(TimerContract, AnAbsoluteTimeOnceAndDispatched) {
    Queue queue;
    const unsigned unit = NOTE_SECONDS | NOTE_ABSTIME;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, unit, 1), 0);
    EXPECT_EQ(queue.one().data, 1);
    EXPECT_EQ(queue.change(1, EVFILT_TIMER, EV_DELETE), ENOENT);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD | EV_DISPATCH, unit, 1), 0);
    for (int turn = 0; turn < 3; ++turn) {
        EXPECT_EQ(queue.one().data, 1);
        EXPECT_TRUE(queue.poll().empty());
        ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ENABLE, unit, 1), 0);
    }
}

// EV_CLEAR is fixed when a timer is made.
TEST(TimerContract, AddingAgainDoesNotChangeClear) {
    Queue queue;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 3'600), 0);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS | NOTE_ABSTIME, 1), 0);
    EXPECT_EQ(queue.one().data, 1);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(2, EVFILT_TIMER, EV_ADD, NOTE_SECONDS | NOTE_ABSTIME, 1), 0);
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(queue.change(2, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    std::int64_t last = 0;
    while (last < 5) {
        const std::int64_t count = queue.one().data; // continues to count
        EXPECT_GE(count, last);
        last = count;
    }
}

TEST(TimerContract, AnAbsoluteTimeInThePastExpiresAtOnce) {
    Queue queue;
    ASSERT_EQ(
        queue.change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_SECONDS | NOTE_ABSTIME, 1), 0);
    EXPECT_EQ(queue.one().data, 1);
}

TEST(TimerContract, ZeroExpiresAtOnceForAOneshotAndAfterAUnitOtherwise) {
    Queue queue;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 0), 0);
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 0), 0);
    EXPECT_GE(queue.one().data, 1);
    EXPECT_GE(queue.one().data, 1);
}

TEST(TimerContract, AddingAgainRearmsAndDropsPendingTicks) {
    Queue queue;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    wait_until_ready(queue);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 3'600), 0);
    EXPECT_TRUE(queue.wait(20).empty());
    int mark = 0;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_USECONDS, 100, &mark), 0);
    EXPECT_EQ(queue.one().udata, &mark);
}

TEST(TimerContract, AddingAgainWithAnotherClock) {
    Queue queue;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 3'600), 0);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS | NOTE_ABSTIME, 1), 0);
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    EXPECT_GE(queue.one().data, 1);
}

TEST(TimerContract, ADisabledTimerKeepsRunning) {
    Queue queue;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 2), 0);
    wait_until_ready(queue);
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_DISABLE, 0, 2), 0);
    EXPECT_TRUE(queue.wait(20).empty());
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ENABLE, 0, 2), 0);
    EXPECT_GE(queue.one().data, 2);
}

TEST(TimerContract, DispatchDisablesATimer) {
    Queue queue;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD | EV_DISPATCH, 0, 1), 0);
    EXPECT_GE(queue.one().data, 1);
    EXPECT_TRUE(queue.wait(20).empty());
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ENABLE, 0, 1), 0);
    EXPECT_GE(queue.one().data, 1);
}

TEST(TimerContract, TheIdentIsANumberAndNotADescriptor) {
    Queue queue;
    const Pair pair = make_socket_pair();
    const auto number = static_cast<std::uintptr_t>(int{pair.first});
    const std::uintptr_t large = std::numeric_limits<std::uintptr_t>::max() - 1;
    ASSERT_EQ(queue.change(number, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1), 0);
    ASSERT_EQ(queue.change(number, EVFILT_READ, EV_ADD), 0);
    const struct kevent event = queue.one();
    EXPECT_EQ(event.ident, number);
    EXPECT_EQ(event.filter, EVFILT_TIMER);
    ASSERT_EQ(queue.change(large, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1), 0);
    EXPECT_EQ(queue.one().ident, large);
}

TEST(TimerContract, AnInvalidTimeIsRefused) {
    Queue queue;
    EXPECT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, -1), EINVAL);
    EXPECT_EQ(queue.change(1, EVFILT_TIMER, EV_DELETE), ENOENT);
}

TEST(TimerContract, AVeryLongTimeDoesNotExpire) {
    Queue queue;
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 4'000'000'000), 0);
    EXPECT_TRUE(queue.poll().empty());
}

TEST(UserContract, TriggersCoalesce) {
    Queue queue;
    ASSERT_EQ(queue.change(7, EVFILT_USER, EV_ADD | EV_CLEAR), 0);
    EXPECT_TRUE(queue.poll().empty());
    for (int i = 0; i < 3; ++i)
        ASSERT_EQ(queue.change(7, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    EXPECT_EQ(queue.one().ident, 7U);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(7, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    EXPECT_EQ(queue.one().ident, 7U);
}

TEST(UserContract, WithoutClearItStaysTriggered) {
    Queue queue;
    ASSERT_EQ(queue.change(7, EVFILT_USER, EV_ADD), 0);
    ASSERT_EQ(queue.change(7, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    EXPECT_EQ(queue.one().ident, 7U);
    EXPECT_EQ(queue.one().ident, 7U);
    ASSERT_EQ(queue.change(7, EVFILT_USER, EV_DELETE), 0);
    EXPECT_TRUE(queue.poll().empty());
}

TEST(UserContract, FlagsAreCombined) {
    Queue queue;
    const auto flags_after = [&queue](unsigned control, unsigned flags) {
        EXPECT_EQ(queue.change(7, EVFILT_USER, 0, NOTE_TRIGGER | control | flags), 0);
        return queue.one().fflags & NOTE_FFLAGSMASK;
    };
    ASSERT_EQ(queue.change(7, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_FFCOPY | 0x0fU), 0);
    EXPECT_EQ(flags_after(NOTE_FFNOP, 0xf0), 0x0fU);
    EXPECT_EQ(flags_after(NOTE_FFOR, 0xf0), 0xffU);
    EXPECT_EQ(flags_after(NOTE_FFAND, 0x3c), 0x3cU);
    EXPECT_EQ(flags_after(NOTE_FFCOPY, 0x55), 0x55U);
}

TEST(UserContract, DataAndUdataAreThoseOfTheTrigger) {
    Queue queue;
    int mark = 0;
    ASSERT_EQ(queue.change(7, EVFILT_USER, EV_ADD | EV_CLEAR), 0);
    ASSERT_EQ(queue.change(7, EVFILT_USER, 0, NOTE_TRIGGER, 42, &mark), 0);
    const struct kevent event = queue.one();
    EXPECT_EQ(event.data, 42);
    EXPECT_EQ(event.udata, &mark);
}

TEST(UserContract, ATriggerWhileDisabledIsReportedLater) {
    Queue queue;
    ASSERT_EQ(queue.change(7, EVFILT_USER, EV_ADD | EV_CLEAR | EV_DISABLE), 0);
    ASSERT_EQ(queue.change(7, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(7, EVFILT_USER, EV_ENABLE), 0);
    EXPECT_EQ(queue.one().ident, 7U);
}

TEST(UserContract, OneshotAndDispatch) {
    Queue queue;
    ASSERT_EQ(queue.change(1, EVFILT_USER, EV_ADD | EV_ONESHOT), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    EXPECT_EQ(queue.one().ident, 1U);
    EXPECT_EQ(queue.change(1, EVFILT_USER, EV_DELETE), ENOENT);
    ASSERT_EQ(queue.change(2, EVFILT_USER, EV_ADD | EV_DISPATCH), 0);
    ASSERT_EQ(queue.change(2, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    EXPECT_EQ(queue.one().ident, 2U);
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_EQ(queue.change(2, EVFILT_USER, EV_DELETE), 0);
}

} // namespace
} // namespace kqueue_test
