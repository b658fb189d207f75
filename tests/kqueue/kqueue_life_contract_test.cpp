// The contract of a kqueue as a descriptor: polled, watched by another kqueue, and after a fork.
#include "kqueue_test_support.h"

#include <poll.h>

namespace kqueue_test {
namespace {

TEST(KqueueLifeContract, AKqueueCanBePolled) {
    Queue queue;
    const Pair pair = make_socket_pair();
    pollfd asked{.fd = queue, .events = POLLIN, .revents = 0};
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_CLEAR), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, EV_ADD | EV_CLEAR), 0);
    EXPECT_EQ(::poll(&asked, 1, 0), 0);
    send(pair.second, "x");
    EXPECT_EQ(::poll(&asked, 1, 0), 1);
    EXPECT_EQ(queue.poll().size(), 1U);
    EXPECT_EQ(::poll(&asked, 1, 0), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    EXPECT_EQ(::poll(&asked, 1, 0), 1);
    EXPECT_EQ(queue.poll().size(), 1U);
    EXPECT_EQ(::poll(&asked, 1, 0), 0);
}

TEST(KqueueLifeContract, AKqueueCanBeWatchedByAnother) {
    Queue outer;
    Queue inner;
    const Pair pair = make_socket_pair();
    const auto ident = static_cast<std::uintptr_t>(int{inner});
    ASSERT_EQ(inner.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(outer.change(ident, EVFILT_READ, EV_ADD), 0);
    EXPECT_TRUE(outer.poll().empty());
    send(pair.second, "x");
    const struct kevent event = outer.one();
    EXPECT_EQ(event.ident, ident);
    EXPECT_GE(event.data, 1);
    drain(pair.first);
    EXPECT_TRUE(inner.poll().empty());
    EXPECT_TRUE(outer.poll().empty());
}

TEST(KqueueLifeContract, AKqueueCannotWatchItself) {
    Queue queue;
    EXPECT_EQ(queue.change(static_cast<std::uintptr_t>(int{queue}), EVFILT_READ, EV_ADD), EINVAL);
}

TEST(KqueueLifeContract, AForkedChildInheritsNoKqueue) {
    Queue queue;
    const Pair pair = make_socket_pair();
    send(pair.second, "x");
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    Child child([&] {
        const timespec no_time{};
        struct kevent event {};
        return ::kevent(queue, nullptr, 0, &event, 1, &no_time) == -1 && errno == EBADF ? 0 : 1;
    });
    EXPECT_EQ(child.join(), 0);
    EXPECT_EQ(queue.poll().size(), 1U);
}

TEST(KqueueLifeContract, AForkedChildCanMakeItsOwn) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD), 0);
    Child child([&] {
        Queue own;
        send(pair.second, "x");
        if (own.change(pair.first, EVFILT_READ, EV_ADD) != 0)
            return 1;
        const Events events = own.wait();
        return events.size() == 1 && events[0].filter == EVFILT_READ ? 0 : 2;
    });
    EXPECT_EQ(child.join(), 0);
    EXPECT_NE(find(queue.wait(), pair.first, EVFILT_WRITE), nullptr);
}

TEST(KqueueLifeContract, AForkedChildDoesNotAffectTheParentsKqueue) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, EV_ADD | EV_CLEAR), 0);
    ASSERT_EQ(queue.change(2, EVFILT_TIMER, EV_ADD, 0, 20), 0);
    Child child([&] {
        Queue own;
        own.change(pair.first, EVFILT_READ, EV_ADD);
        own.change(pair.first, EVFILT_READ, EV_DELETE);
        own.change(2, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1);
        return own.wait().size() == 1 ? 0 : 1;
    });
    EXPECT_EQ(child.join(), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_TIMER);
    ASSERT_EQ(queue.change(2, EVFILT_TIMER, EV_DELETE), 0);
    send(pair.second, "x");
    EXPECT_EQ(queue.one().filter, EVFILT_READ);
}

} // namespace
} // namespace kqueue_test
