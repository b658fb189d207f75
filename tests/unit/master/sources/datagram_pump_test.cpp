// The pump of a UDP source, between sockets and a relay of the test.
#include "master/sources/program/datagram_pump.h"

#include "master/sources/datagram_drops.h"
#include "master/sources/program/loopback_pair.h"
#include "master/sources/program/udp_opening.h"
#include "master/sources/source_word.h"
#include "tests/harness/udp_socket.h"
#include "tests/unit/master/sources/stream_bytes.h"

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <thread>

namespace chatserv {
namespace {

using test::Endpoint;
using test::UdpSocket;

class DatagramPumpTest : public testing::Test {
protected:
    DatagramPumpTest() { ::signal(SIGPIPE, SIG_IGN); }
    ~DatagramPumpTest() override { join(); }

    void receive() {
        Opened opened = receive_udp("127.0.0.1", 0);
        ASSERT_TRUE(opened.fd) << opened.error;
        socket_ = std::move(opened.fd);
        own_ = Endpoint::of_socket(socket_.get());
    }
    void send_to(const Endpoint& peer) {
        Opened opened = send_udp(peer.host(), peer.port());
        ASSERT_TRUE(opened.fd) << opened.error;
        socket_ = std::move(opened.fd);
    }
    void begin(DatagramTask task) {
        thread_ = std::thread([this, task = std::move(task)] {
            end_ = run_datagram_pump({.socket = socket_.get(),
                                         .relay = relay_.second.get(),
                                         .lifeline = lifeline_.second.get()},
                task);
        });
    }
    void join() {
        lifeline_.first.reset();
        if (thread_.joinable())
            thread_.join();
    }
    [[nodiscard]] int relay() const { return relay_.first.get(); }

    // Waits for the next word about lost datagrams.
    DatagramDrops next_drops() {
        for (;;) {
            if (const auto word = words_.next(lifeline_.first.get())) {
                EXPECT_EQ(word->kind, SourceWord::Kind::dropped);
                return DatagramDrops::parse(word->text).value_or(DatagramDrops{});
            }
            pollfd asked{.fd = lifeline_.first.get(), .events = POLLIN, .revents = 0};
            if (words_.ended() || ::poll(&asked, 1, 60'000) != 1)
                return {};
        }
    }
    // Waits until this many are said to be lost: words come once a second.
    DatagramDrops wait_for_drops(uint64_t total) {
        DatagramDrops drops;
        do {
            drops = next_drops();
        } while (drops.total != 0 && drops.total < total);
        return drops;
    }
    void wait_until_read() const {
        int bytes = 0;
        do {
            std::this_thread::yield();
        } while (::ioctl(socket_.get(), FIONREAD, &bytes) == 0 && bytes > 0);
    }

    FdPair relay_ = make_loopback_pair();
    FdPair lifeline_ = make_stream_pair();
    UniqueFd socket_;
    Endpoint own_;
    UdpSocket peer_;
    SourceWords words_;
    std::thread thread_;
    PumpEnd end_{};
};

TEST_F(DatagramPumpTest, RelaysEachDatagramAsItIs) {
    receive();
    begin({.is_heard = true});
    for (const std::string& datagram : {std::string("$GPGLL\r\n"), std::string("no end"),
             std::string("a\0b", 3), std::string(60'000, 'x')}) {
        ASSERT_TRUE(peer_.send_to(own_, ""));
        ASSERT_TRUE(peer_.send_to(own_, datagram));
        EXPECT_EQ(read_bytes(relay(), datagram.size()), datagram);
    }
    relay_.first.reset();
    thread_.join();
    EXPECT_EQ(end_.why, PumpEnd::Why::relay);
}

// Each datagram is relayed or counted, and those that are relayed are whole.
TEST_F(DatagramPumpTest, CountsWhatTheRelayDoesNotTake) {
    receive();
    begin({.is_heard = true, .dropped = 1000});
    uint64_t sent = 0;
    const std::string datagram(8000, 'x');
    pollfd said{.fd = lifeline_.first.get(), .events = POLLIN, .revents = 0};
    for (; ::poll(&said, 1, 0) == 0 && sent < 10'000; ++sent) {
        ASSERT_TRUE(peer_.send_to(own_, datagram));
        wait_until_read();
    }
    // Each question has an answer, and a word that nobody asked for may come in front of it. What
    // is said twice, with a question in between, is all that there is.
    DatagramDrops drops;
    for (DatagramDrops before{.total = 1, .why = ""}; before != drops;) {
        before = drops;
        write_bytes(lifeline_.first.get(), "?");
        drops = next_drops();
    }
    EXPECT_GT(drops.total, 1000U);
    EXPECT_EQ(drops.why, "the server takes less than is sent to it");
    const size_t relayed = (sent + 1000 - drops.total) * datagram.size();
    EXPECT_EQ(read_bytes(relay(), relayed).size(), relayed);
    char more = 0;
    EXPECT_EQ(::recv(relay(), &more, 1, MSG_DONTWAIT), -1) << "what was counted is not relayed";
}

#ifdef SO_RXQ_OVFL
TEST_F(DatagramPumpTest, CountsWhatTheSystemHadNoRoomFor) {
    receive();
    const uint64_t sent = 5000;
    for (uint64_t i = 0; i < sent; ++i)
        ASSERT_TRUE(peer_.send_to(own_, std::string(1000, 'x')));
    begin({.is_heard = true});
    wait_until_read();
    ASSERT_TRUE(peer_.send_to(own_, "last"));
    const DatagramDrops drops = next_drops();
    EXPECT_GT(drops.total, 0U);
    EXPECT_EQ(drops.why, "they came faster than they were read");
    const std::string relayed = read_bytes(relay(), (sent - drops.total) * 1000 + 4);
    EXPECT_EQ(relayed.size(), (sent - drops.total) * 1000 + 4);
    EXPECT_TRUE(relayed.ends_with("xlast"));
}
#endif

TEST_F(DatagramPumpTest, SendsLinesAndHearsWhatComesBack) {
    send_to(peer_.endpoint());
    begin({.is_heard = true, .hears = true, .framing = Framing::line, .greeting = "hello"});
    EXPECT_EQ(peer_.hear().datagram, "hello");
    write_bytes(relay(), "one\ntwo\nthr");
    EXPECT_EQ(peer_.hear().datagram, "one\n");
    const auto heard = peer_.hear();
    EXPECT_EQ(heard.datagram, "two\n");
    const UdpSocket stranger;
    ASSERT_TRUE(stranger.send_to(heard.from, "from a stranger\n"));
    ASSERT_TRUE(peer_.send_to(heard.from, "an answer\n"));
    EXPECT_EQ(read_bytes(relay(), 10), "an answer\n");
    relay_.first.reset();
    EXPECT_EQ(peer_.hear().datagram, "thr") << "what waits goes out at the end";
}

TEST_F(DatagramPumpTest, ASinkIsNotHeard) {
    send_to(peer_.endpoint());
    begin({.hears = true});
    write_bytes(relay(), "one\n");
    const auto heard = peer_.hear();
    EXPECT_EQ(heard.datagram, "one\n");
    ASSERT_TRUE(peer_.send_to(heard.from, "an answer\n"));
    ::shutdown(relay(), SHUT_WR);
    thread_.join();
    relay_.second.reset();
    EXPECT_TRUE(is_at_end(relay()));
}

// The refusal of a datagram is told of the next call: none is counted twice, and none is lost for
// the one before it.
TEST_F(DatagramPumpTest, CountsWhatIsRefusedAndGoesOn) {
    const Endpoint port = peer_.endpoint();
    (void)peer_.release();
    send_to(port);
    begin({.hears = true, .framing = Framing::line, .dropped = 7});
    write_bytes(relay(), "1\n2\n3\n4\n5\n6\n");
    const DatagramDrops drops = wait_for_drops(7 + 6);
    EXPECT_EQ(drops, (DatagramDrops{7 + 6, "Connection refused"}));
    const UdpSocket again(port);
    write_bytes(relay(), "heard\n");
    EXPECT_EQ(again.hear().datagram, "heard\n");
    write_bytes(lifeline_.first.get(), "?");
    EXPECT_EQ(next_drops(), drops) << "a new master asks";
}

} // namespace
} // namespace chatserv
