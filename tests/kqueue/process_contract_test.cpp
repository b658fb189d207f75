// The contract of EVFILT_PROC. Only NOTE_EXIT is tested: every system has it.
#include "kqueue_test_support.h"

namespace kqueue_test {
namespace {

constexpr unsigned exit_with_status = NOTE_EXIT | NOTE_EXITSTATUS;

int add(Queue& queue, const Child& child) {
    return queue.change(child.ident(), EVFILT_PROC, EV_ADD, exit_with_status);
}

TEST(ProcessContract, AnExitIsReportedWithItsStatusAndTheChildIsNotReaped) {
    Queue queue;
    Pair pair = make_pipe();
    Child child([&pair] {
        char byte = 0;
        pair.second.close();
        (void)!::read(pair.first, &byte, 1);
        return 7;
    });
    ASSERT_EQ(add(queue, child), 0);
    EXPECT_TRUE(queue.poll().empty());
    pair.second.close();
    const struct kevent event = queue.one();
    EXPECT_EQ(event.ident, child.ident());
    EXPECT_TRUE(event.fflags & NOTE_EXIT);
    EXPECT_TRUE(event.flags & EV_EOF);
    const int status = static_cast<int>(event.data);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
    EXPECT_EQ(child.join(), status); // the zombie can still be waited for
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_EQ(
        queue.change(static_cast<std::uintptr_t>(event.ident), EVFILT_PROC, EV_DELETE), ENOENT);
}

TEST(ProcessContract, TheStatusNamesTheSignalThatKilled) {
    Queue queue;
    Child child([] { return ::pause(); });
    ASSERT_EQ(add(queue, child), 0);
    ASSERT_EQ(::kill(child.pid(), SIGKILL), 0);
    const int status = static_cast<int>(queue.one().data);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    EXPECT_EQ(child.join(), status);
}

TEST(ProcessContract, AZombieIsReportedAtOnce) {
    Queue queue;
    Child child([] { return 9; });
    child.wait_for_exit();
    ASSERT_EQ(add(queue, child), 0);
    const int status = static_cast<int>(queue.one(0).data);
    EXPECT_EQ(WEXITSTATUS(status), 9);
    EXPECT_EQ(child.join(), status);
}

TEST(ProcessContract, AnUnknownPidIsRefused) {
    Queue queue;
    Child child([] { return 0; });
    const std::uintptr_t ident = child.ident();
    child.join();
    EXPECT_EQ(queue.change(ident, EVFILT_PROC, EV_ADD, exit_with_status), ESRCH);
}

TEST(ProcessContract, ADeletedFilterReportsNothing) {
    Queue queue;
    Child child([] { return ::pause(); });
    ASSERT_EQ(add(queue, child), 0);
    ASSERT_EQ(queue.change(child.ident(), EVFILT_PROC, EV_DELETE), 0);
    ::kill(child.pid(), SIGKILL);
    child.wait_for_exit();
    EXPECT_TRUE(queue.poll().empty());
}

TEST(ProcessContract, AnExitWhileDisabledIsReportedLater) {
    Queue queue;
    Child child([] { return ::pause(); });
    ASSERT_EQ(add(queue, child), 0);
    ASSERT_EQ(queue.change(child.ident(), EVFILT_PROC, EV_DISABLE, exit_with_status), 0);
    ::kill(child.pid(), SIGKILL);
    child.wait_for_exit();
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(child.ident(), EVFILT_PROC, EV_ENABLE, exit_with_status), 0);
    EXPECT_TRUE(queue.one().fflags & NOTE_EXIT);
}

TEST(ProcessContract, EachOfManyChildrenIsReportedOnce) {
    Queue queue;
    constexpr std::size_t count = 20;
    std::vector<std::unique_ptr<Child>> children;
    for (std::size_t i = 0; i < count; ++i) {
        children.push_back(std::make_unique<Child>([] { return ::pause(); }));
        ASSERT_EQ(add(queue, *children.back()), 0);
    }
    for (const auto& child : children)
        ::kill(child->pid(), SIGKILL);
    std::size_t reported = 0;
    while (reported < count) {
        const Events events = queue.wait(long_time, 3);
        ASSERT_FALSE(events.empty());
        reported += events.size();
    }
    EXPECT_EQ(reported, count);
    EXPECT_TRUE(queue.poll().empty());
}

} // namespace
} // namespace kqueue_test
