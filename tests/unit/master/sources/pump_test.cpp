// The pump, between a source of the test and a relay of the test; and the serial line.
#include "master/sources/program/pump.h"

#include "master/sources/program/loopback_pair.h"
#include "master/sources/program/openings.h"
#include "tests/unit/master/sources/stream_bytes.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace chatserv {
namespace {

class PumpTest : public testing::Test {
protected:
    PumpTest() { ::signal(SIGPIPE, SIG_IGN); }
    ~PumpTest() override { join(); }

    void begin(int in, int out, AtEndOfInput at_end = AtEndOfInput::end) {
        thread_ = std::thread([=, this] {
            end_ = run_pump({.source_in = in,
                                .source_out = out,
                                .relay = relay_.second.get(),
                                .lifeline = lifeline_.second.get()},
                at_end, [this](int /*error*/) { ++ends_of_input_; });
        });
    }
    void join() {
        if (thread_.joinable()) {
            lifeline_.first.reset();
            thread_.join();
        }
    }
    PumpEnd wait_for_end() {
        thread_.join();
        return end_;
    }
    [[nodiscard]] int relay() const { return relay_.first.get(); }

    FdPair relay_ = make_loopback_pair();
    FdPair lifeline_ = make_stream_pair();
    FdPair in_ = make_pipe();
    FdPair out_ = make_pipe();
    std::thread thread_;
    PumpEnd end_{};
    int ends_of_input_ = 0;
};

TEST_F(PumpTest, CarriesMoreThanItHolds) {
    std::string text;
    for (int i = 0; text.size() < 20 * pump_bytes; ++i)
        text += std::to_string(i) + "\n";
    begin(in_.first.get(), -1);
    std::thread writer([&] {
        for (size_t sent = 0; sent < text.size();) {
            const ssize_t put = ::write(in_.second.get(), text.data() + sent, text.size() - sent);
            sent += put > 0 ? static_cast<size_t>(put) : 0;
        }
        in_.second.reset();
    });
    EXPECT_EQ(read_bytes(relay(), text.size()), text);
    writer.join();
    EXPECT_TRUE(is_at_end(relay()));
    ::shutdown(relay(), SHUT_WR);
    const PumpEnd end = wait_for_end();
    EXPECT_EQ(end.why, PumpEnd::Why::source);
    EXPECT_EQ(end.error, 0);
    EXPECT_EQ(ends_of_input_, 1);
}

// A reset would cost what the relay has not read yet.
TEST_F(PumpTest, AfterTheEndOfTheInputItWaitsForTheRelay) {
    begin(in_.first.get(), out_.second.get());
    write_bytes(in_.second.get(), "the last words");
    in_.second.reset();
    write_bytes(relay(), "what the others said");
    EXPECT_EQ(read_bytes(relay(), 100), "the last words");
    EXPECT_EQ(read_bytes(out_.first.get(), 20), "what the others said");
    write_bytes(relay(), ", and more");
    EXPECT_EQ(read_bytes(out_.first.get(), 10), ", and more");
    ::shutdown(relay(), SHUT_WR);
    EXPECT_EQ(wait_for_end().why, PumpEnd::Why::source);
}

TEST_F(PumpTest, CanOutliveItsInput) {
    begin(in_.first.get(), out_.second.get(), AtEndOfInput::go_on);
    in_.second.reset();
    write_bytes(relay(), "still heard");
    EXPECT_EQ(read_bytes(out_.first.get(), 11), "still heard");
    out_.first.reset();
    EXPECT_EQ(wait_for_end().why, PumpEnd::Why::source);
    EXPECT_EQ(ends_of_input_, 1);
}

TEST_F(PumpTest, OneThatOnlyWritesEndsWithItsReader) {
    begin(-1, out_.second.get());
    write_bytes(relay(), "heard");
    EXPECT_EQ(read_bytes(out_.first.get(), 5), "heard");
    out_.first.reset();
    const PumpEnd end = wait_for_end();
    EXPECT_EQ(end.why, PumpEnd::Why::source);
    EXPECT_EQ(end.error, EPIPE);
}

TEST_F(PumpTest, OneThatIsHeardOutlivesItsReader) {
    begin(in_.first.get(), out_.second.get());
    out_.first.reset();
    write_bytes(relay(), "for nobody");
    write_bytes(in_.second.get(), "said all the same");
    EXPECT_EQ(read_bytes(relay(), 17), "said all the same");
    in_.second.reset();
    EXPECT_TRUE(is_at_end(relay()));
}

TEST_F(PumpTest, EndsWithTheRelayAndWithTheServer) {
    begin(in_.first.get(), -1);
    ::shutdown(relay(), SHUT_RDWR);
    EXPECT_EQ(wait_for_end().why, PumpEnd::Why::relay);
    relay_ = make_loopback_pair();
    begin(in_.first.get(), -1);
    lifeline_.first.reset();
    EXPECT_EQ(wait_for_end().why, PumpEnd::Why::server);
}

TEST_F(PumpTest, APeerThatIsOneDescriptorEndsOnce) {
    FdPair peer = make_stream_pair();
    begin(peer.second.get(), peer.second.get());
    write_bytes(peer.first.get(), "hello");
    EXPECT_EQ(read_bytes(relay(), 5), "hello");
    write_bytes(relay(), "welcome");
    EXPECT_EQ(read_bytes(peer.first.get(), 7), "welcome");
    peer.first.reset();
    EXPECT_TRUE(is_at_end(relay()));
    ::shutdown(relay(), SHUT_WR);
    EXPECT_EQ(wait_for_end().why, PumpEnd::Why::source);
    EXPECT_EQ(ends_of_input_, 1);
}

TEST(SerialLine, IsRawAndKeepsItsBytes) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_NE(master, -1);
    const UniqueFd terminal(master);
    ASSERT_EQ(::grantpt(master), 0);
    ASSERT_EQ(::unlockpt(master), 0);
    const std::string path = ::ptsname(master);
    const Opened line = open_serial(path, 115200, O_RDWR);
    ASSERT_TRUE(line.fd) << line.error;
    const std::string all{"a\r\n\x03\x04\x11\x13\x00\xff", 9};
    write_bytes(master, all);
    EXPECT_EQ(read_bytes(line.fd.get(), all.size()), all);
    write_bytes(line.fd.get(), all);
    EXPECT_EQ(read_bytes(master, all.size()), all) << "nothing is echoed or changed";
    EXPECT_EQ(open_serial("/dev/null", 9600, O_RDONLY).error, "is not a serial line");
    EXPECT_EQ(open_serial("/nowhere", 9600, O_RDONLY).error, "No such file or directory");
}

} // namespace
} // namespace chatserv
