// The contract of EVFILT_READ and EVFILT_WRITE on any descriptor: level, edge, oneshot, dispatch,
// both filters on one descriptor, end of file.
#include "kqueue_test_support.h"

namespace kqueue_test {
namespace {

// Waits until an event reports `bytes` bytes: TCP may deliver them in parts.
void wait_for_data(Queue& queue, std::int64_t bytes) {
    std::int64_t data = 0;
    while (data < bytes)
        ASSERT_GT(data = queue.one().data, 0);
    EXPECT_EQ(data, bytes);
}

TEST(ReadContract, DataIsTheNumberOfBytesAndTheEventIsLevelTriggered) {
    for (const Pair& pair : {make_socket_pair(), make_pipe(), make_tcp_pair()}) {
        Queue queue;
        const Fd& sender = pair.second;
        ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
        EXPECT_TRUE(queue.poll().empty());
        send(sender, "abc");
        wait_for_data(queue, 3);
        send(sender, "de");
        wait_for_data(queue, 5);
        EXPECT_EQ(queue.one().data, 5);
        drain(pair.first);
        EXPECT_TRUE(queue.poll().empty());
    }
}

TEST(ReadContract, NoDataStillReportsReadinessAndEof) {
    Queue queue;
    Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, NOTE_NODATA), 0);
    EXPECT_TRUE(queue.poll().empty());
    send(pair.second, "abc");
    EXPECT_FALSE(queue.one().flags & EV_EOF);
    pair.second.close();
    EXPECT_TRUE(queue.one().flags & EV_EOF);
}

TEST(ReadContract, UdataIsReturned) {
    Queue queue;
    const Pair pair = make_socket_pair();
    int mark = 0;
    send(pair.second, "x");
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, 0, 0, &mark), 0);
    EXPECT_EQ(queue.one().udata, &mark);
}

TEST(ReadContract, AddingAgainReplacesUdataFflagsAndData) {
    Queue queue;
    const Pair pair = make_socket_pair();
    int first = 0;
    int second = 0;
    send(pair.second, "abc");
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, NOTE_LOWAT, 10, &first), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, NOTE_LOWAT, 3, &second), 0);
    EXPECT_EQ(queue.one().udata, &second);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, NOTE_LOWAT, 4, &second), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, 0, 0, &first), 0);
    EXPECT_EQ(queue.one().udata, &first);
}

TEST(ReadContract, ClearReportsEachArrivalOnce) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_CLEAR), 0);
    send(pair.second, "a");
    EXPECT_EQ(queue.one().data, 1);
    EXPECT_TRUE(queue.poll().empty());
    send(pair.second, "b");
    EXPECT_EQ(queue.one().data, 2);
    EXPECT_TRUE(queue.poll().empty());
}

TEST(ReadContract, ReenablingAClearFilterThatIsReadyFiresAgain) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_CLEAR), 0);
    send(pair.second, "a");
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_DISABLE), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE), 0);
    EXPECT_EQ(queue.one().data, 1);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0); // adding it again fires too
    EXPECT_EQ(queue.one().data, 1);
}

TEST(ReadContract, DisablingAndEnabling) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_DISABLE), 0);
    send(pair.second, "a");
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE), 0);
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_DISABLE), 0);
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_DISABLE), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_DISABLE), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE), 0);
    EXPECT_EQ(queue.one().data, 1);
}

TEST(ReadContract, OneshotIsGoneAfterItsEvent) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_ONESHOT), 0);
    send(pair.second, "a");
    EXPECT_EQ(queue.one().data, 1);
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE), ENOENT);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_ONESHOT), 0);
    EXPECT_EQ(queue.one().data, 1);
}

TEST(ReadContract, DispatchIsDisabledByItsEvent) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_DISPATCH), 0);
    send(pair.second, "a");
    for (int turn = 0; turn < 3; ++turn) {
        EXPECT_EQ(queue.one().data, 1);
        EXPECT_TRUE(queue.poll().empty());
        ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE), 0);
    }
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_DISABLE), 0);
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_EQ(queue.change(pair.first, EVFILT_READ, EV_DELETE), 0);
}

TEST(TwoFiltersContract, ALevelReadBesideAClearWrite) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD | EV_CLEAR), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_WRITE);
    EXPECT_TRUE(queue.poll().empty());
    send(pair.second, "a");
    EXPECT_NE(find(queue.wait(), pair.first, EVFILT_READ), nullptr);
    for (int turn = 0; turn < 3; ++turn)
        EXPECT_EQ(queue.one().filter, EVFILT_READ);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ENABLE), 0);
    EXPECT_EQ(queue.wait().size(), 2U);
    EXPECT_EQ(queue.one().filter, EVFILT_READ);
}

TEST(TwoFiltersContract, AClearReadBesideALevelWrite) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_CLEAR), 0);
    send(pair.second, "a");
    EXPECT_EQ(queue.wait().size(), 2U);
    for (int turn = 0; turn < 3; ++turn)
        EXPECT_EQ(queue.one().filter, EVFILT_WRITE);
}

TEST(TwoFiltersContract, OneshotOnOneLeavesTheOtherArmed) {
    for (const int oneshot : {EVFILT_READ, EVFILT_WRITE}) {
        const int other = oneshot == EVFILT_READ ? EVFILT_WRITE : EVFILT_READ;
        Queue queue;
        const Pair pair = make_socket_pair();
        send(pair.second, "a");
        ASSERT_EQ(queue.change(pair.first, oneshot, EV_ADD | EV_ONESHOT), 0);
        ASSERT_EQ(queue.change(pair.first, other, EV_ADD), 0);
        EXPECT_EQ(queue.wait().size(), 2U);
        for (int turn = 0; turn < 3; ++turn)
            EXPECT_EQ(queue.one().filter, other);
        ASSERT_EQ(queue.change(pair.first, oneshot, EV_ADD | EV_ONESHOT), 0);
        EXPECT_EQ(queue.wait().size(), 2U);
    }
}

TEST(TwoFiltersContract, DispatchOnOneLeavesTheOtherArmed) {
    for (const int dispatch : {EVFILT_READ, EVFILT_WRITE}) {
        const int other = dispatch == EVFILT_READ ? EVFILT_WRITE : EVFILT_READ;
        Queue queue;
        const Pair pair = make_socket_pair();
        send(pair.second, "a");
        ASSERT_EQ(queue.change(pair.first, dispatch, EV_ADD | EV_DISPATCH), 0);
        ASSERT_EQ(queue.change(pair.first, other, EV_ADD), 0);
        EXPECT_EQ(queue.wait().size(), 2U);
        EXPECT_EQ(queue.one().filter, other);
        ASSERT_EQ(queue.change(pair.first, dispatch, EV_ENABLE), 0);
        EXPECT_EQ(queue.wait().size(), 2U);
        EXPECT_EQ(queue.one().filter, other);
    }
}

TEST(TwoFiltersContract, DeletingOneLeavesTheOther) {
    Queue queue;
    const Pair pair = make_socket_pair();
    send(pair.second, "a");
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_DELETE), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_WRITE);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_DELETE), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_READ);
}

TEST(EofContract, EofIsReportedWithUnreadDataAndIsRepeated) {
    for (Pair& pair : std::array<Pair, 3>{make_socket_pair(), make_pipe(), make_tcp_pair()}) {
        Queue queue;
        ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
        send(pair.second, "abc");
        pair.second.close();
        while (!(queue.one().flags & EV_EOF)) { // TCP's FIN may take a moment
        }
        for (int turn = 0; turn < 3; ++turn) {
            const struct kevent event = queue.one();
            EXPECT_TRUE(event.flags & EV_EOF);
            EXPECT_EQ(event.data, 3);
        }
        drain(pair.first);
        for (int turn = 0; turn < 3; ++turn) {
            const struct kevent event = queue.one();
            EXPECT_TRUE(event.flags & EV_EOF);
            EXPECT_EQ(event.data, 0);
            EXPECT_EQ(event.fflags, 0U);
        }
    }
}

TEST(EofContract, ShutWrByThePeerIsEofForReadAlone) {
    for (const Pair& pair : std::array<Pair, 2>{make_socket_pair(), make_tcp_pair()}) {
        Queue queue;
        ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
        ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD | EV_DISABLE), 0);
        ASSERT_EQ(::shutdown(pair.second, SHUT_WR), 0);
        EXPECT_TRUE(queue.one().flags & EV_EOF);
        ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ENABLE), 0);
        const Events events = queue.wait();
        const struct kevent* write = find(events, pair.first, EVFILT_WRITE);
        ASSERT_NE(write, nullptr);
        EXPECT_FALSE(write->flags & EV_EOF);
        EXPECT_GT(write->data, 0);
    }
}

TEST(EofContract, APipeWithoutAReaderIsEofForWrite) {
    Queue queue;
    Pair pair = make_pipe();
    ASSERT_EQ(queue.change(pair.second, EVFILT_WRITE, EV_ADD), 0);
    EXPECT_FALSE(queue.one().flags & EV_EOF);
    pair.first.close();
    EXPECT_TRUE(queue.one().flags & EV_EOF);
}

TEST(EofContract, OwnShutWrIsEofForWrite) {
    for (const Pair& pair : std::array<Pair, 2>{make_socket_pair(), make_tcp_pair()}) {
        Queue queue;
        ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD), 0);
        EXPECT_FALSE(queue.one().flags & EV_EOF);
        ASSERT_EQ(::shutdown(pair.first, SHUT_WR), 0);
        EXPECT_TRUE(queue.one().flags & EV_EOF);
    }
}

TEST(EofContract, TheSocketErrorIsInFflags) {
    Queue queue;
    Pair pair = make_tcp_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(::setsockopt(pair.second, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    pair.second.close();
    for (int turn = 0; turn < 3; ++turn) {
        const struct kevent event = queue.one();
        EXPECT_TRUE(event.flags & EV_EOF);
        EXPECT_EQ(event.fflags, static_cast<unsigned>(ECONNRESET));
    }
}

TEST(EofContract, ADescriptorWithAllFiltersDisabledDoesNotSpinOnHangUp) {
    Queue queue;
    Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_DISABLE), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_ADD), 0);
    ASSERT_EQ(queue.change(pair.first, EVFILT_WRITE, EV_DISABLE), 0);
    pair.second.close();
    const double before = processor_time();
    EXPECT_TRUE(queue.wait(200).empty());
    EXPECT_LT(processor_time() - before, 0.1);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE), 0);
    EXPECT_TRUE(queue.one().flags & EV_EOF);
}

} // namespace
} // namespace kqueue_test
