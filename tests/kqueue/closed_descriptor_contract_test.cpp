// The contract for descriptors that are deleted, closed and reused while another process holds a
// copy of them, as chatserv's master holds a copy of every client's descriptor.
#include "kqueue_test_support.h"

namespace kqueue_test {
namespace {

TEST(ClosedDescriptorContract, DeleteTakesEffectAtOnceWhileAnotherProcessHoldsACopy) {
    Queue queue;
    Pair pair = make_socket_pair();
    CopyHolder holder;
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD), 0);
    send(pair.second, "x");
    EXPECT_EQ(queue.wait().size(), 2U);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_DELETE), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_DELETE), 0);
    EXPECT_TRUE(queue.poll().empty());
    pair.first.close();
    holder.write_byte_to(pair.second);
    const double before = processor_time();
    EXPECT_TRUE(queue.wait(100).empty());
    EXPECT_LT(processor_time() - before, 0.05);
}

TEST(ClosedDescriptorContract, ClosingRemovesTheFilters) {
    Queue queue;
    Pair pair = make_socket_pair();
    const auto number = static_cast<std::uintptr_t>(int{pair.first});
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    send(pair.second, "x");
    pair.first.close();
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_EQ(queue.change(number, EVFILT_READ, EV_DELETE), EBADF);
}

TEST(ClosedDescriptorContract, ClosingRemovesTheFiltersWhileAnotherProcessHoldsACopy) {
    Queue queue;
    Pair pair = make_socket_pair();
    CopyHolder holder;
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    pair.first.close();
    send(pair.second, "x");
    const double before = processor_time();
    EXPECT_TRUE(queue.wait(100).empty());
    EXPECT_LT(processor_time() - before, 0.05);
}

TEST(ClosedDescriptorContract, AnotherFileWithTheSameNumberHasNoFilters) {
    Queue queue;
    Pair pair = make_socket_pair();
    const auto number = static_cast<std::uintptr_t>(int{pair.first});
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    const Pair other = make_socket_pair();
    ASSERT_EQ(::dup2(other.first, pair.first), int{pair.first});
    send(other.second, "x");
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_EQ(queue.change(number, EVFILT_READ, EV_DELETE), ENOENT);
}

// The number of a watched socket becomes another socket, while another process holds the first one.
void add_on_a_number_that_is_another_file(unsigned flags, unsigned fflags) {
    Queue queue;
    const Pair old = make_socket_pair();
    CopyHolder holder;
    int old_mark = 0;
    int mark = 0;
    ASSERT_EQ(queue.change(old.first, EVFILT_READ, EV_ADD | flags, fflags, 0, &old_mark), 0);
    ASSERT_EQ(queue.change(old.first, EVFILT_WRITE, EV_ADD | flags, fflags, 0, &old_mark), 0);
    const Pair fresh = make_socket_pair();
    ASSERT_EQ(::dup2(fresh.first, old.first), int{old.first});
    ASSERT_EQ(queue.change(old.first, EVFILT_READ, EV_ADD | flags, fflags, 0, &mark), 0);
    send(old.second, "not to be seen");
    const double before = processor_time();
    EXPECT_TRUE(queue.wait(100).empty());
    EXPECT_LT(processor_time() - before, 0.05);
    send(fresh.second, "x");
    const struct kevent event = queue.one();
    EXPECT_EQ(event.filter, EVFILT_READ);
    EXPECT_EQ(event.udata, &mark);
    EXPECT_EQ(queue.change(old.first, EVFILT_WRITE, EV_DELETE), ENOENT);
}

TEST(ClosedDescriptorContract, AddOnANumberThatIsNowAnotherFile) {
    for (const unsigned flags : {0U, unsigned{EV_CLEAR}, unsigned{EV_DISPATCH}}) {
        add_on_a_number_that_is_another_file(flags, 0);
        add_on_a_number_that_is_another_file(flags, NOTE_NODATA);
    }
}

TEST(ClosedDescriptorContract, OtherFiltersSurviveWhenANumberBecomesAnotherFile) {
    Queue queue;
    Queue outer;
    ASSERT_EQ(outer.change(static_cast<std::uintptr_t>(int{queue}), EVFILT_READ, EV_ADD), 0);
    const Pair old = make_socket_pair();
    const Pair level = make_socket_pair();
    const Pair dispatched = make_socket_pair();
    CopyHolder holder;
    send(dispatched.second, "x");
    ASSERT_EQ(queue.change(dispatched.first, EVFILT_READ, EV_ADD | EV_DISPATCH), 0);
    EXPECT_EQ(queue.wait().size(), 1U);
    ASSERT_EQ(queue.change(old.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(level.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(level.first, EVFILT_WRITE, EV_ADD | EV_DISABLE), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, EV_ADD | EV_CLEAR), 0);
    ASSERT_EQ(queue.change(2, EVFILT_TIMER, EV_ADD, 0, 3'600'000), 0);
    const Pair fresh = make_socket_pair();
    ASSERT_EQ(::dup2(fresh.first, old.first), int{old.first});
    ASSERT_EQ(queue.change(old.first, EVFILT_READ, EV_ADD), 0);
    send(old.second, "not to be seen");
    EXPECT_TRUE(queue.wait(20).empty());

    send(level.second, "x");
    EXPECT_EQ(outer.one().ident, static_cast<std::uintptr_t>(int{queue}));
    EXPECT_EQ(queue.one().ident, static_cast<std::uintptr_t>(int{level.first}));
    ASSERT_EQ(queue.change(level.first, EVFILT_WRITE, EV_ENABLE), 0);
    EXPECT_EQ(queue.wait().size(), 2U);
    ASSERT_EQ(queue.change(level.first, EVFILT_READ, EV_DELETE), 0);
    ASSERT_EQ(queue.change(level.first, EVFILT_WRITE, EV_DELETE), 0);
    ASSERT_EQ(queue.change(1, EVFILT_USER, 0, NOTE_TRIGGER), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_USER);
    ASSERT_EQ(queue.change(2, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_TIMER);
    ASSERT_EQ(queue.change(2, EVFILT_TIMER, EV_DELETE), 0);
    ASSERT_EQ(queue.change(dispatched.first, EVFILT_READ, EV_ENABLE), 0);
    EXPECT_EQ(queue.one().ident, static_cast<std::uintptr_t>(int{dispatched.first}));
}

TEST(ClosedDescriptorContract, TheSameFileComesBackWithTheSameNumber) {
    Queue queue;
    Pair pair = make_socket_pair();
    CopyHolder holder;
    const Fd copy(::dup(pair.first));
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    const int number = pair.first;
    pair.first.close();
    ASSERT_EQ(::dup2(copy, number), number);
    pair.first = Fd(number);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    send(pair.second, "x");
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_DELETE), 0);
    EXPECT_TRUE(queue.poll().empty());
}

TEST(ClosedDescriptorContract, ATimerThatGetsAClosedNumberIsNotDeletedByThatNumber) {
    Queue queue;
    Pair pair = make_socket_pair();
    const auto number = static_cast<std::uintptr_t>(int{pair.first});
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    pair.first.close();
    ASSERT_EQ(queue.change(1, EVFILT_TIMER, EV_ADD, 0, 1), 0);
    EXPECT_NE(queue.change(number, EVFILT_READ, EV_DELETE), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_TIMER);
}

} // namespace
} // namespace kqueue_test
