// The kernel's account of a connection that was accepted just now.
#include "master/clients/listener.h"
#include "shared/system/fd.h"
#include "shared/system/kernel_account.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

TEST(KernelAccount, OfANewConnectionIsTheSameByEitherQuestion) {
    const Listener listener(*Address::parse("127.0.0.1:0"));
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(client.get(), listener.address().data(), listener.address().size()), 0);
    pollfd waiting{.fd = listener.fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waiting, 1, -1), 1);
    const UniqueFd server(listener.accept());
    ASSERT_EQ(::write(client.get(), "unread", 6), 6);
    const auto counts = byte_counts(server.get());
    if (!counts)
        GTEST_SKIP() << "this system keeps no account";
    EXPECT_EQ(written_before_first_write(server.get()), counts->written);
    ASSERT_EQ(::write(server.get(), "line\n", 5), 5);
    const auto after = byte_counts(server.get());
    ASSERT_TRUE(after);
    EXPECT_EQ((after->written - counts->written) & byte_count_mask, 5U);
}

TEST(KernelAccount, IsThereForNoOtherSocket) {
    const FdPair pair = make_stream_pair();
    EXPECT_FALSE(written_before_first_write(pair.first.get()));
    EXPECT_FALSE(byte_counts(pair.first.get()));
}

class ReadCount : public testing::Test {
protected:
    void SetUp() override {
        if (!counts_reads(pair_.second.get()))
            GTEST_SKIP() << "this system does not count what is read from UNIX sockets";
    }
    void send(size_t bytes) const {
        const std::string text(bytes, 'x');
        ASSERT_EQ(::send(pair_.first.get(), text.data(), bytes, 0), static_cast<ssize_t>(bytes));
    }
    void read(size_t bytes, int flags = 0) const {
        std::string place(bytes, 0);
        ASSERT_EQ(
            ::recv(pair_.second.get(), place.data(), bytes, flags), static_cast<ssize_t>(bytes));
    }

    const FdPair pair_ = make_stream_pair();
};

TEST_F(ReadCount, IsOfWhatIsReadAndNotOfWhatWaits) {
    EXPECT_FALSE(reads_counted(pair_.second.get(), 0)) << "it was not begun";
    count_reads(pair_.second.get(), 0);
    EXPECT_EQ(reads_counted(pair_.second.get(), 0), 0U);
    send(1000);
    send(500);
    EXPECT_EQ(reads_counted(pair_.second.get(), 0), 0U);
    read(100);
    EXPECT_EQ(reads_counted(pair_.second.get(), 0), 100U);
    read(1400);
    EXPECT_EQ(reads_counted(pair_.second.get(), 0), 1500U);
    EXPECT_EQ(reads_counted(pair_.second.get(), 1500), 1500U);
}

TEST_F(ReadCount, GoesOnWithoutAnEnd) {
    for (const uint64_t before : {reads_between_counts - 1, reads_between_counts,
             5 * reads_between_counts - 1, uint64_t{1} << 50U}) {
        count_reads(pair_.second.get(), before);
        send(7);
        read(7);
        EXPECT_EQ(reads_counted(pair_.second.get(), before), before + 7);
        EXPECT_EQ(reads_counted(pair_.second.get(), before + 7), before + 7);
    }
}

TEST_F(ReadCount, ALookShowsWhatWaitsOnceItIsEnded) {
    count_reads(pair_.second.get(), 10);
    send(5);
    count_reads_no_more(pair_.second.get());
    EXPECT_FALSE(reads_counted(pair_.second.get(), 0));
    read(5, MSG_PEEK);
    count_reads(pair_.second.get(), 10);
    read(5);
    EXPECT_EQ(reads_counted(pair_.second.get(), 10), 15U);
}

TEST_F(ReadCount, IsOfNoTcpConnection) {
    EXPECT_FALSE(counts_reads(UniqueFd(::socket(AF_INET, SOCK_STREAM, 0)).get()));
}

} // namespace
} // namespace chatserv
