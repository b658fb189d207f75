// The contract of EVFILT_READ and EVFILT_WRITE by kind of descriptor: buffers and low water marks,
// listening sockets, regular files, FIFOs, terminals, datagrams.
#include "kqueue_test_support.h"

#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <sys/un.h>

namespace kqueue_test {
namespace {

class TemporaryFile {
public:
    TemporaryFile() : fd_(::mkstemp(name_.data())) { EXPECT_NE(int{fd_}, -1); }
    ~TemporaryFile() { ::unlink(name_.c_str()); }
    const Fd& fd() const { return fd_; }
    const std::string& name() const { return name_; }

private:
    std::string name_ = "/tmp/kqueue-contract-XXXXXX";
    Fd fd_;
};

TEST(WriteContract, DataIsTheRoomInTheBuffer) {
    for (const Pair& pair : std::array<Pair, 3>{make_socket_pair(), make_pipe(), make_tcp_pair()}) {
        Queue queue;
        ASSERT_EQ(queue.change(pair.second, EVFILT_WRITE, EV_ADD), 0);
        EXPECT_GT(queue.one().data, 0);
        fill(pair.second);
        while (!queue.poll().empty()) // TCP moves bytes on to the receiver
            fill(pair.second);
        Events events;
        while (events.empty()) { // with TCP, more bytes may follow those that have arrived
            drain(pair.first);
            events = queue.wait(10);
        }
        EXPECT_GT(events[0].data, 0);
    }
}

TEST(LowWaterContract, ReadWaitsForTheMark) {
    Queue queue;
    const Pair pair = make_tcp_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD, NOTE_LOWAT, 5), 0);
    send(pair.second, "abc");
    EXPECT_TRUE(queue.wait(20).empty());
    send(pair.second, "de");
    EXPECT_EQ(queue.one().data, 5);
    EXPECT_EQ(queue.one().data, 5);
    std::array<char, 2> two{};
    ASSERT_EQ(::read(pair.first, two.data(), two.size()), 2);
    const double before = processor_time();
    EXPECT_TRUE(queue.wait(100).empty());
    EXPECT_LT(processor_time() - before, 0.05);
    ASSERT_EQ(::shutdown(pair.second, SHUT_WR), 0);
    const struct kevent event = queue.one(); // EOF is reported below the mark too
    EXPECT_TRUE(event.flags & EV_EOF);
    EXPECT_EQ(event.data, 3);
}

TEST(LowWaterContract, DispatchBelowTheMark) {
    Queue queue;
    const Pair pair = make_socket_pair();
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD | EV_DISPATCH, NOTE_LOWAT, 2), 0);
    for (int turn = 0; turn < 3; ++turn) {
        send(pair.second, "a");
        EXPECT_TRUE(queue.poll().empty());
        send(pair.second, "b");
        EXPECT_EQ(queue.one().data, 2);
        EXPECT_TRUE(queue.poll().empty());
        drain(pair.first);
        ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ENABLE, NOTE_LOWAT, 2), 0);
        EXPECT_TRUE(queue.poll().empty());
    }
}

void set_buffer(const Fd& fd, int option, int bytes) {
    ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof bytes), 0);
}

// Over TCP, because TCP keeps sent bytes in the sender's buffer until the receiver has room. With a
// UNIX socket, some systems put them into the receiver's buffer at once. The receiver's buffer is
// small and is emptied little by little, so that the room in the sender's buffer grows slowly.
TEST(LowWaterContract, WriteWaitsForTheMark) {
    Queue queue;
    Queue unmarked;
    const Listener listener;
    const Fd receiver(::socket(AF_INET, SOCK_STREAM, 0));
    set_buffer(receiver, SO_RCVBUF, 8'192);
    listener.connect(receiver);
    const Fd sender = listener.accept();
    set_buffer(sender, SO_SNDBUF, 131'072); // setting it also stops the kernel from resizing it
    ASSERT_EQ(queue.change(sender, EVFILT_WRITE, EV_ADD), 0);
    const std::int64_t mark = queue.one().data - 100;
    ASSERT_EQ(queue.change(sender, EVFILT_WRITE, EV_ADD, NOTE_LOWAT, mark), 0);
    EXPECT_GE(queue.one().data, mark);
    ASSERT_EQ(unmarked.change(sender, EVFILT_WRITE, EV_ADD), 0);
    fill(sender);
    while (!unmarked.poll().empty())
        fill(sender);
    EXPECT_TRUE(queue.wait(30).empty());

    std::array<char, 4'096> block{};
    int between = 0; // how often there was room, but less than the mark
    Events events;
    while (events.empty()) {
        (void)!::recv(receiver, block.data(), block.size(), MSG_DONTWAIT);
        events = queue.wait(1);
        between += events.empty() && !unmarked.poll().empty() ? 1 : 0;
    }
    EXPECT_GE(events[0].data, mark);
    EXPECT_GT(between, 0);
}

TEST(ListenContract, DataIsTheLengthOfTheAcceptQueue) {
    Queue queue;
    const Listener listener;
    ASSERT_EQ(queue.change(listener.fd(), EVFILT_READ, EV_ADD), 0);
    EXPECT_TRUE(queue.poll().empty());
    std::vector<Fd> clients;
    for (int i = 0; i < 3; ++i)
        clients.push_back(listener.connect());
    while (queue.one().data != 3) { // the last connection may still be on its way
    }
    const Fd accepted = listener.accept();
    EXPECT_EQ(queue.one().data, 2);
}

TEST(ListenContract, UnixSocketsHaveAnAcceptQueueToo) {
    Queue queue;
    std::string name = "/tmp/kqueue-contract-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    const std::string path = name + "/socket";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(listener, generic, sizeof address), 0);
    ASSERT_EQ(::listen(listener, 16), 0);
    ASSERT_EQ(queue.change(listener, EVFILT_READ, EV_ADD), 0);
    EXPECT_TRUE(queue.poll().empty());
    const Fd first(::socket(AF_UNIX, SOCK_STREAM, 0));
    const Fd second(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(first, generic, sizeof address), 0);
    EXPECT_EQ(queue.one().data, 1);
    ASSERT_EQ(::connect(second, generic, sizeof address), 0);
    EXPECT_EQ(queue.one().data, 2);
    ::unlink(path.c_str());
    ::rmdir(name.c_str());
}

TEST(ListenContract, ASocketThatIsNotConnectedYetIsNotReady) {
    Queue queue;
    const Listener listener;
    const Fd client(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(queue.change(client, EVFILT_READ, EV_ADD), 0);
    ASSERT_EQ(queue.change(client, EVFILT_WRITE, EV_ADD), 0);
    const double before = processor_time();
    EXPECT_TRUE(queue.wait(100).empty());
    EXPECT_LT(processor_time() - before, 0.05);
    listener.connect(client);
    EXPECT_EQ(queue.one().filter, EVFILT_WRITE);
    EXPECT_EQ(queue.one().filter, EVFILT_WRITE);
    const Fd server = listener.accept();
    send(server, "x");
    while (queue.wait().size() != 2) {
    }
    EXPECT_EQ(queue.wait().size(), 2U);
}

TEST(FileContract, ARegularFileIsReadableUnlessAtItsEnd) {
    Queue queue;
    const TemporaryFile file;
    send(file.fd(), "hello");
    ASSERT_EQ(::lseek(file.fd(), 2, SEEK_SET), 2);
    ASSERT_EQ(queue.change(file.fd(), EVFILT_READ, EV_ADD), 0);
    EXPECT_EQ(queue.one().data, 3);
    EXPECT_EQ(queue.one().data, 3);
    drain(file.fd());
    EXPECT_TRUE(queue.poll().empty());
    EXPECT_TRUE(queue.wait(20).empty());
    const Fd other(::open(file.name().c_str(), O_WRONLY | O_APPEND));
    send(other, "!!");
    EXPECT_EQ(queue.one().data, 2);
    EXPECT_EQ(queue.one().data, 2);
    drain(file.fd());
    EXPECT_TRUE(queue.poll().empty());
    send(other, "?");
    EXPECT_EQ(queue.one().data, 1);
    EXPECT_EQ(queue.change(file.fd(), EVFILT_READ, EV_DELETE), 0);
    EXPECT_TRUE(queue.poll().empty());
}

TEST(FileContract, ARegularFileCanAlwaysBeWritten) {
    Queue queue;
    const TemporaryFile file;
    ASSERT_EQ(queue.change(file.fd(), EVFILT_WRITE, EV_ADD), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_WRITE);
    ASSERT_EQ(queue.change(file.fd(), EVFILT_WRITE, EV_DISABLE), 0);
    EXPECT_TRUE(queue.poll().empty());
    ASSERT_EQ(queue.change(file.fd(), EVFILT_WRITE, EV_ENABLE), 0);
    EXPECT_EQ(queue.one().filter, EVFILT_WRITE);
}

TEST(FileContract, ANumberThatWasAFileAndIsNowASocket) {
    Queue queue;
    const TemporaryFile file;
    send(file.fd(), "hello");
    ASSERT_EQ(::lseek(file.fd(), 0, SEEK_SET), 0);
    ASSERT_EQ(queue.change(file.fd(), EVFILT_READ, EV_ADD), 0);
    EXPECT_EQ(queue.one().data, 5);
    const Pair pair = make_socket_pair();
    ASSERT_EQ(::dup2(pair.first, file.fd()), int{file.fd()});
    ASSERT_EQ(queue.change(file.fd(), EVFILT_READ, EV_ADD), 0);
    EXPECT_TRUE(queue.poll().empty());
    send(pair.second, "x");
    EXPECT_EQ(queue.one().data, 1);
}

TEST(FifoContract, EofAfterTheLastWriterAndDataFromTheNext) {
    Queue queue;
    std::string directory = "/tmp/kqueue-contract-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    const std::string path = directory + "/fifo";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const Fd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
    ASSERT_EQ(queue.change(reader, EVFILT_READ, EV_ADD), 0);
    EXPECT_TRUE(queue.poll().empty());
    Fd writer(::open(path.c_str(), O_WRONLY));
    send(writer, "ab");
    EXPECT_EQ(queue.one().data, 2);
    writer.close();
    const struct kevent event = queue.one();
    EXPECT_TRUE(event.flags & EV_EOF);
    EXPECT_EQ(event.data, 2);
    drain(reader);
    const Fd next(::open(path.c_str(), O_WRONLY));
    send(next, "c");
    EXPECT_EQ(queue.one().data, 1);
    ::unlink(path.c_str());
    ::rmdir(directory.c_str());
}

TEST(TerminalContract, ALineFromATerminal) {
    Queue queue;
    const Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY));
    if (int{terminal} == -1)
        GTEST_SKIP() << "cannot open a pseudo-terminal here (is /dev/pts mounted?)";
    ASSERT_EQ(::grantpt(terminal), 0);
    ASSERT_EQ(::unlockpt(terminal), 0);
    const Fd line(::open(::ptsname(terminal), O_RDWR | O_NOCTTY));
    ASSERT_NE(int{line}, -1);
    ASSERT_EQ(queue.change(line, EVFILT_READ, EV_ADD), 0);
    EXPECT_TRUE(queue.poll().empty());
    send(terminal, "hi\n");
    EXPECT_EQ(queue.one().data, 3);
    ASSERT_EQ(queue.change(line, EVFILT_WRITE, EV_ADD | EV_ONESHOT), 0);
    const Events events = queue.wait();
    const struct kevent* write = find(events, line, EVFILT_WRITE);
    ASSERT_NE(write, nullptr);
    EXPECT_GT(write->data, 0);
}

TEST(DatagramContract, AnEmptyDatagramIsReady) {
    Queue queue;
    const Pair pair = make_socket_pair(SOCK_DGRAM);
    ASSERT_EQ(queue.change(pair.first, EVFILT_READ, EV_ADD), 0);
    EXPECT_TRUE(queue.poll().empty());
    send(pair.second, "abc");
    EXPECT_GE(queue.one().data, 3);
}

} // namespace
} // namespace kqueue_test
