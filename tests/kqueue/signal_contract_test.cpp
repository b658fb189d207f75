// The contract of EVFILT_SIGNAL: every attempt to send a signal is counted, whatever the process
// does with it.
#include "kqueue_test_support.h"

namespace kqueue_test {
namespace {

constexpr int test_signal = SIGUSR1;

volatile std::sig_atomic_t handled = 0;
extern "C" void handle(int) {
    handled = handled + 1;
}

// Restores the dispositions and the mask after each test.
class SignalContract : public testing::Test {
protected:
    void SetUp() override {
        handled = 0;
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, &mask_);
        ::sigaction(test_signal, nullptr, &test_action_);
        ::sigaction(SIGCHLD, nullptr, &child_action_);
    }
    void TearDown() override {
        set(test_signal, SIG_IGN); // so that a pending signal does not kill the test
        ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
        ::sigaction(test_signal, &test_action_, nullptr);
        ::sigaction(SIGCHLD, &child_action_, nullptr);
    }

    static void set(int signal, void (*handler)(int)) {
        struct sigaction action {};
        action.sa_handler = handler;
        ASSERT_EQ(::sigaction(signal, &action, nullptr), 0);
    }
    static void block(int signal) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, signal);
        ASSERT_EQ(::sigprocmask(SIG_BLOCK, &set, nullptr), 0);
    }
    static void unblock(int signal) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, signal);
        ASSERT_EQ(::sigprocmask(SIG_UNBLOCK, &set, nullptr), 0);
    }
    static bool blocked(int signal) {
        sigset_t set;
        ::sigprocmask(SIG_BLOCK, nullptr, &set);
        return sigismember(&set, signal) == 1;
    }
    static bool pending(int signal) {
        sigset_t set;
        ::sigpending(&set);
        return sigismember(&set, signal) == 1;
    }
    static int add(Queue& queue, int signal) {
        return queue.change(static_cast<std::uintptr_t>(signal), EVFILT_SIGNAL, EV_ADD);
    }
    static int remove(Queue& queue, int signal) {
        return queue.change(static_cast<std::uintptr_t>(signal), EVFILT_SIGNAL, EV_DELETE);
    }
    static void raise_times(int signal, int times) {
        for (int i = 0; i < times; ++i)
            ASSERT_EQ(::kill(::getpid(), signal), 0);
    }
    static void expect_count(Queue& queue, int signal, std::int64_t count) {
        const struct kevent event = queue.one();
        EXPECT_EQ(event.filter, EVFILT_SIGNAL);
        EXPECT_EQ(event.ident, static_cast<std::uintptr_t>(signal));
        EXPECT_EQ(event.data, count);
        EXPECT_TRUE(queue.poll().empty());
    }

private:
    sigset_t mask_{};
    struct sigaction test_action_ {};
    struct sigaction child_action_ {};
};

TEST_F(SignalContract, IgnoredSignalsAreCounted) {
    Queue queue;
    set(test_signal, SIG_IGN);
    ASSERT_EQ(add(queue, test_signal), 0);
    EXPECT_TRUE(queue.poll().empty());
    raise_times(test_signal, 3);
    expect_count(queue, test_signal, 3);
    raise_times(test_signal, 1);
    expect_count(queue, test_signal, 1);
}

TEST_F(SignalContract, SignalsIgnoredAfterAddAreReported) {
    Queue queue;
    ASSERT_EQ(add(queue, test_signal), 0);
    set(test_signal, SIG_IGN);
    raise_times(test_signal, 1);
    expect_count(queue, test_signal, 1);
    raise_times(test_signal, 3);
    expect_count(queue, test_signal, 3);
}

TEST_F(SignalContract, BlockedSignalsAreCounted) {
    Queue queue;
    block(test_signal);
    ASSERT_EQ(add(queue, test_signal), 0);
    raise_times(test_signal, 3);
    expect_count(queue, test_signal, 3);
}

TEST_F(SignalContract, SignalsBlockedAfterAddAreReported) {
    Queue queue;
    set(test_signal, SIG_IGN);
    ASSERT_EQ(add(queue, test_signal), 0);
    block(test_signal);
    raise_times(test_signal, 1);
    expect_count(queue, test_signal, 1);
    raise_times(test_signal, 1);
    expect_count(queue, test_signal, 1);
}

TEST_F(SignalContract, ABlockedSignalIsPendingAfterTheFilterIsDeleted) {
    Queue queue;
    set(test_signal, handle);
    block(test_signal);
    ASSERT_EQ(add(queue, test_signal), 0);
    raise_times(test_signal, 1);
    expect_count(queue, test_signal, 1);
    EXPECT_EQ(handled, 0);
    ASSERT_EQ(remove(queue, test_signal), 0);
    EXPECT_TRUE(blocked(test_signal));
    EXPECT_TRUE(pending(test_signal));
    EXPECT_EQ(handled, 0);
    unblock(test_signal);
    EXPECT_EQ(handled, 1);
}

TEST_F(SignalContract, AnInstalledHandlerStillRuns) {
    Queue queue;
    set(test_signal, handle);
    ASSERT_EQ(add(queue, test_signal), 0);
    raise_times(test_signal, 2);
    EXPECT_EQ(handled, 2);
    expect_count(queue, test_signal, 2);
    ASSERT_EQ(remove(queue, test_signal), 0);
    raise_times(test_signal, 1);
    EXPECT_EQ(handled, 3);
    EXPECT_TRUE(queue.poll().empty());
}

TEST_F(SignalContract, AHandlerInstalledLaterRunsToo) {
    Queue queue;
    set(test_signal, SIG_IGN);
    ASSERT_EQ(add(queue, test_signal), 0);
    set(test_signal, handle);
    EXPECT_TRUE(queue.poll().empty());
    raise_times(test_signal, 2);
    EXPECT_EQ(handled, 2);
    expect_count(queue, test_signal, 2);
}

TEST_F(SignalContract, SeveralKqueuesWatchOneSignal) {
    Queue first;
    Queue second;
    set(test_signal, SIG_IGN);
    ASSERT_EQ(add(first, test_signal), 0);
    ASSERT_EQ(add(second, test_signal), 0);
    raise_times(test_signal, 2);
    expect_count(first, test_signal, 2);
    raise_times(test_signal, 1);
    expect_count(second, test_signal, 3);
    expect_count(first, test_signal, 1);
    ASSERT_EQ(remove(first, test_signal), 0);
    raise_times(test_signal, 1);
    expect_count(second, test_signal, 1);
    EXPECT_TRUE(first.poll().empty());
}

TEST_F(SignalContract, ASignalWakesASleepingKqueue) {
    Queue queue;
    set(test_signal, SIG_IGN);
    ASSERT_EQ(add(queue, test_signal), 0);
    const pid_t parent = ::getpid();
    Child child([parent] {
        const timespec pause = milliseconds(20);
        ::nanosleep(&pause, nullptr);
        return ::kill(parent, test_signal);
    });
    struct kevent event {};
    EXPECT_EQ(::kevent(queue, nullptr, 0, &event, 1, nullptr), 1); // rather than EINTR
    EXPECT_EQ(event.filter, EVFILT_SIGNAL);
}

TEST_F(SignalContract, SigchldIsIgnoredByDefaultAndCounted) {
    Queue queue;
    set(SIGCHLD, SIG_DFL);
    ASSERT_EQ(add(queue, SIGCHLD), 0);
    Child child([] { return 3; });
    expect_count(queue, SIGCHLD, 1);
    const int status = child.join();
    EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST_F(SignalContract, OneshotDispatchAndDisable) {
    Queue queue;
    set(test_signal, SIG_IGN);
    const std::uintptr_t ident = test_signal;
    ASSERT_EQ(queue.change(ident, EVFILT_SIGNAL, EV_ADD | EV_ONESHOT), 0);
    raise_times(test_signal, 2);
    expect_count(queue, test_signal, 2);
    EXPECT_EQ(remove(queue, test_signal), ENOENT);

    ASSERT_EQ(queue.change(ident, EVFILT_SIGNAL, EV_ADD | EV_DISPATCH), 0);
    for (int turn = 0; turn < 2; ++turn) {
        raise_times(test_signal, 1);
        EXPECT_EQ(queue.one().data, 1);
        raise_times(test_signal, 2);
        EXPECT_TRUE(queue.poll().empty());
        ASSERT_EQ(queue.change(ident, EVFILT_SIGNAL, EV_ENABLE), 0);
        EXPECT_EQ(queue.one().data, 2);
        ASSERT_EQ(queue.change(ident, EVFILT_SIGNAL, EV_ENABLE), 0);
    }
    ASSERT_EQ(queue.change(ident, EVFILT_SIGNAL, EV_DISABLE), 0);
    raise_times(test_signal, 1);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(ident, EVFILT_SIGNAL, EV_ENABLE), 0);
    EXPECT_EQ(queue.one().data, 1);
}

TEST_F(SignalContract, TheMaskIsRestoredWithTheLastFilter) {
    for (const bool by_closing : {false, true}) {
        Queue queue;
        Queue other;
        ASSERT_EQ(add(queue, test_signal), 0);
        ASSERT_EQ(add(other, test_signal), 0);
        ASSERT_EQ(remove(other, test_signal), 0);
        if (by_closing) {
            queue.close();
            const Queue next; // making a kqueue removes what closed ones left
        } else {
            ASSERT_EQ(remove(queue, test_signal), 0);
        }
        EXPECT_FALSE(blocked(test_signal));
        struct sigaction action {};
        ::sigaction(test_signal, nullptr, &action);
        EXPECT_TRUE(action.sa_handler == SIG_DFL);
    }
}

TEST_F(SignalContract, ADeadlySignalStillKills) {
    Child child([] {
        Queue queue;
        if (add(queue, test_signal) != 0)
            return 1;
        ::kill(::getpid(), test_signal);
        queue.wait(100);
        return 2;
    });
    const int status = child.join();
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), test_signal);
}

TEST_F(SignalContract, AForkedChildInheritsNoBlockedSignal) {
    Queue queue;
    ASSERT_EQ(add(queue, test_signal), 0);
    set(SIGUSR2, SIG_IGN);
    ASSERT_EQ(add(queue, SIGUSR2), 0);
    Child child([] {
        struct sigaction action {};
        ::sigaction(SIGUSR2, nullptr, &action);
        if (action.sa_handler != SIG_IGN)
            return 1;
        if (blocked(test_signal) || blocked(SIGUSR2))
            return 2;
        ::raise(test_signal);
        return 3;
    });
    const int status = child.join(); // WIFSIGNALED may evaluate its argument several times
    EXPECT_TRUE(WIFSIGNALED(status));
    set(SIGUSR2, SIG_DFL);
}

// The manual does not say that such a number is refused. FreeBSD accepts it and never reports it.
TEST_F(SignalContract, ANumberThatIsNotASignalIsRefusedOrNeverReported) {
    Queue queue;
    const int error = queue.change(100'000, EVFILT_SIGNAL, EV_ADD);
    EXPECT_TRUE(error == EINVAL || error == 0) << error;
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_EQ(queue.change(100'000, EVFILT_SIGNAL, EV_DELETE), error == 0 ? 0 : ENOENT);
    EXPECT_EQ(remove(queue, test_signal), ENOENT);
}

} // namespace
} // namespace kqueue_test
