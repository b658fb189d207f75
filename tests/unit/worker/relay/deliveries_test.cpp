// What each client is written, and what becomes of one whose socket is broken.
#include "tests/unit/ids.h"
#include "tests/unit/small_segment.h"
#include "worker/relay/deliveries.h"

#include <cerrno>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

using Kind = FanOut::Delivery::Kind;

class DeliveryTest : public testing::Test {
protected:
    DeliveryTest() {
        std::signal(SIGPIPE, SIG_IGN);
        FdPair ends = make_stream_pair();
        peer_ = std::move(ends.first);
        client_.fd = std::move(ends.second);
        segment_.stage(other_, "said by another");
        EXPECT_TRUE(segment_.publish());
    }

    std::string received() const {
        std::string text(1000, '\0');
        const ssize_t got = ::read(peer_.get(), text.data(), text.size());
        text.resize(got > 0 ? static_cast<size_t>(got) : 0);
        return text;
    }
    [[nodiscard]] uint64_t cursor() const { return cursor_of(*client_.slot).log_offset; }

    SmallSegment segment_;
    Client client_{.id = segment_.attach(0), .fd = UniqueFd(), .slot = &segment_.users[slot_0]};
    ClientId other_ = segment_.attach(1);
    Deliveries delivery_{segment_.mapping, entry_0};
    UniqueFd peer_;
};

TEST_F(DeliveryTest, AClientThatIsClosingGetsTheLogUpToItsEnd) {
    segment_.users.close(client_.id, 4);
    client_.phase = Client::Phase::closing;
    EXPECT_EQ(delivery_.deliver(client_, segment_.log.head()).kind, Kind::complete);
    EXPECT_EQ(received(), "said");
}

TEST_F(DeliveryTest, AClientWithABrokenSocketKeepsUpWithTheLog) {
    peer_.reset();
    EXPECT_EQ(delivery_.deliver(client_, segment_.log.head()).kind, Kind::complete);
    EXPECT_TRUE(client_.mute);
    EXPECT_EQ(client_.leave_error, EPIPE);
    EXPECT_EQ(cursor(), segment_.log.head());
    EXPECT_EQ(cursor_of(*client_.slot).bytes_written, 0U);
    client_.own.add({segment_.log.head(), segment_.log.head() + 4});
    segment_.stage(client_.id, "mine");
    ASSERT_TRUE(segment_.publish());
    EXPECT_EQ(delivery_.deliver(client_, segment_.log.head()).kind, Kind::complete);
    EXPECT_EQ(cursor(), segment_.log.head());
    EXPECT_TRUE(client_.own.empty());
}

TEST_F(DeliveryTest, TheReasonForWhichAClientLeavesIsNotReplaced) {
    peer_.reset();
    client_.phase = Client::Phase::ended;
    EXPECT_EQ(delivery_.deliver(client_, segment_.log.head()).kind, Kind::complete);
    EXPECT_TRUE(client_.mute);
    EXPECT_EQ(client_.leave_error, 0);
}

TEST_F(DeliveryTest, AClientThatIsClosingFailsWithItsSocket) {
    segment_.users.close(client_.id, segment_.log.head());
    client_.phase = Client::Phase::closing;
    peer_.reset();
    const FanOut::Delivery result = delivery_.deliver(client_, segment_.log.head());
    EXPECT_EQ(result.kind, Kind::failed);
    EXPECT_EQ(result.error, EPIPE);
}

} // namespace
} // namespace chatserv
