// Ingest: when a batch is worth gathering or waiting for more.
#include "tests/unit/ids.h"
#include "tests/unit/small_segment.h"
#include "worker/relay/ingest.h"

#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>

namespace chatserv {
namespace {

class IngestTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair_), 0);
        peer_ = UniqueFd(pair_[0]);
        client_.fd = UniqueFd(pair_[1]);
        set_nonblocking(client_.fd.get());
    }
    void read(const std::string& text) {
        ASSERT_EQ(
            ::send(peer_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        ASSERT_EQ(ingest_.read(client_).kind, Ingest::Read::Kind::some);
    }

    SmallSegment segment_{SegmentConfig{.users = 4, .workers = 1, .log_bytes = 4U << 20U}};
    int pair_[2]{};
    UniqueFd peer_;
    ClientId id_ = segment_.attach(0);
    Client client_{.id = id_, .fd = UniqueFd(), .slot = &segment_.users[slot_0]};
    Ingest ingest_{segment_.mapping, entry_0};
};

TEST_F(IngestTest, ABatchIsSmallFromItsFirstByteToALargeWrite) {
    EXPECT_FALSE(ingest_.is_small()) << "nothing is staged";
    read("a line\n");
    EXPECT_TRUE(ingest_.is_small());
    read(std::string(16 * 1024, 'x'));
    EXPECT_FALSE(ingest_.is_small());
}

TEST_F(IngestTest, AFullBatchIsNotSmall) {
    for (uint32_t chunk = 0; chunk < batch_chunks_max; ++chunk) {
        ASSERT_FALSE(ingest_.full());
        read("x");
    }
    EXPECT_TRUE(ingest_.full());
    EXPECT_FALSE(ingest_.is_small());
}

// Many small reads are worth waiting for more; a large one, or a large batch, is not.
TEST_F(IngestTest, ABatchIsInPiecesIfItsReadsWereSmall) {
    EXPECT_FALSE(ingest_.is_in_pieces()) << "nothing is staged";
    read(std::string(16 * 1024, 'x'));
    EXPECT_FALSE(ingest_.is_in_pieces());
    read("a line\n");
    EXPECT_TRUE(ingest_.is_in_pieces());
    for (int chunk = 0; chunk < 10; ++chunk) {
        EXPECT_TRUE(ingest_.is_in_pieces());
        read(std::string(10 * 1024, 'x'));
    }
    EXPECT_TRUE(ingest_.is_in_pieces());
    read(std::string(12 * 1024, 'x'));
    EXPECT_FALSE(ingest_.is_in_pieces()) << "the batch is large";
}

TEST_F(IngestTest, AFullBatchIsNotInPieces) {
    for (uint32_t chunk = 0; chunk < batch_chunks_max; ++chunk)
        read("x");
    EXPECT_TRUE(ingest_.full());
    EXPECT_FALSE(ingest_.is_in_pieces());
}

} // namespace
} // namespace chatserv
