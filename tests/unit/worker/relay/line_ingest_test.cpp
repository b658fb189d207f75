// Ingest of whole lines: what is read, what waits in the socket, and what a successor makes of a
// death.
#include "tests/unit/worker/relay/line_ingest_test.h"

#include "shared/segment/in_flight.h"
#include "shared/system/peer_user.h"

#include <cstring>
#include <unistd.h>

namespace chatserv {
namespace {

using Kind = Ingest::Read::Kind;

TEST_F(LineIngestTest, AnUnfinishedLineStaysInTheSocket) {
    EXPECT_EQ(read().kind, Kind::nothing);
    send("half");
    const Ingest::Read part = read();
    EXPECT_EQ(part.kind, Kind::part);
    EXPECT_EQ(part.bytes, 4U);
    EXPECT_TRUE(ingest_.empty());
    EXPECT_EQ(unread(), 4U);
    send(" and half\nand more");
    const Ingest::Read lines = read();
    EXPECT_EQ(lines.kind, Kind::some);
    EXPECT_EQ(lines.bytes, 14U);
    EXPECT_FALSE(lines.more) << "the rest has to wait";
    EXPECT_EQ(unread(), 8U);
    EXPECT_EQ(published(), "half and half\n");
    EXPECT_EQ(client_.slot->bytes_read, 14U);
}

TEST_F(LineIngestTest, WhatCanBeReadNowIsToldOf) {
    send("one\ntwo\nthree\n");
    const Ingest::Read read_1 = read(5);
    EXPECT_EQ(read_1.bytes, 4U) << "whole lines within the limit";
    EXPECT_TRUE(read_1.more);
    const Ingest::Read read_2 = read(2);
    EXPECT_EQ(read_2.bytes, 4U) << "one line at least";
    EXPECT_TRUE(read_2.more);
    EXPECT_FALSE(read().more);
    EXPECT_EQ(published(), "one\ntwo\nthree\n");
}

TEST_F(LineIngestTest, TheRestOfAClientThatLeavesGetsAnEnd) {
    send("no end");
    ::shutdown(peer_.get(), SHUT_WR);
    EXPECT_EQ(read().kind, Kind::part) << "nothing has told of the end yet";
    const Ingest::Read rest = read(any_bytes, true);
    EXPECT_EQ(rest.kind, Kind::some);
    EXPECT_TRUE(rest.more);
    EXPECT_EQ(read(any_bytes, true).kind, Kind::end_of_file);
    EXPECT_EQ(published(), "no end\n");
    EXPECT_EQ(client_.slot->bytes_read, 6U) << "of its own bytes";
    EXPECT_EQ(own_.end, 7U) << "of the log";
}

TEST_F(LineIngestTest, ALongLineIsCut) {
    send(std::string(33, 'x'));
    const Ingest::Read first = read();
    EXPECT_EQ(first.bytes, 32U);
    EXPECT_EQ(first.cuts, 1U);
    EXPECT_EQ(read().kind, Kind::part);
    send("yz\n");
    EXPECT_EQ(read().cuts, 0U);
    EXPECT_EQ(published(), std::string(32, 'x') + "\nxyz\n");
}

TEST_F(LineIngestTest, ASuccessorPublishesTheLinesThatWereReadAndNotRecorded) {
    send("one\ntwo\nhal");
    char taken[8];
    const Staging staging(segment_.mapping, entry_0);
    EXPECT_EQ(look_for_lines(client_.fd.get(), staging.room(), 0,
                  Lines(segment_.mapping.header().framing), false)
                  .kind,
        LineLook::Kind::lines);
    ASSERT_EQ(::recv(client_.fd.get(), taken, sizeof taken, 0), 8);
    std::copy(std::begin(taken), std::end(taken), staging.room().begin());

    Ingest successor(segment_.mapping, entry_0);
    EXPECT_EQ(successor.settle(client_, 8), 8U);
    EXPECT_EQ(successor.settle(client_, 8), 0U) << "a second time";
    EXPECT_EQ(published(), "one\ntwo\n");
    EXPECT_EQ(client_.slot->bytes_read, 8U);
    EXPECT_EQ(successor.settle(client_, 1'000'000), std::nullopt);
}

TEST_F(LineIngestTest, ABatchIsFullBeforeTheLongestLineDoesNotFit) {
    const std::string line(31, 'x');
    size_t lines = 0;
    for (; !ingest_.full(); ++lines) {
        send(line + "\n");
        ASSERT_EQ(read().kind, Kind::some);
    }
    EXPECT_GT(lines, 100U);
    EXPECT_EQ(published().size(), lines * 32);
}

class AddressedIngestTest : public LineIngestTest {
protected:
    AddressedIngestTest() : LineIngestTest(Prefix::address) {}
};

TEST_F(AddressedIngestTest, EachLineBeginsWithTheAddress) {
    send("one\ntwo\n");
    EXPECT_EQ(read().bytes, 8U);
    EXPECT_EQ(published(), "192.0.2.7:4242: one\n192.0.2.7:4242: two\n");
    EXPECT_EQ(client_.slot->bytes_read, 8U);
    EXPECT_EQ(own_.end, segment_.log.head());
}

TEST_F(AddressedIngestTest, AUserOfAUnixSocketIsCalledByItsProcess) {
    UserSlot& slot = *client_.slot;
    slot.ip_version = 0;
    const PeerProcess process{.pid = ~0U - 1, .uid = ~0U - 1};
    std::memcpy(slot.address, &process, sizeof process);
    ingest_.introduce(client_);
    EXPECT_EQ(client_.prefix, "unix:pid=4294967294,uid=4294967294: ");
    EXPECT_LE(client_.prefix.size(), prefix_bytes_max);
}

TEST_F(AddressedIngestTest, ABatchBecomesNoMoreOfTheLogThanItsRoom) {
    send(std::string(4000, '\n'));
    size_t bytes = 0;
    while (!ingest_.full()) {
        const Ingest::Read got = read();
        ASSERT_EQ(got.kind, Kind::some);
        bytes += got.bytes;
    }
    const Staging staging(segment_.mapping, entry_0);
    EXPECT_TRUE(staging.sane());
    EXPECT_EQ(staging.log_bytes(), bytes * std::string("192.0.2.7:4242: \n").size());
    EXPECT_LT(bytes, 4000U);
    const size_t published_bytes = published().size();
    EXPECT_EQ(published_bytes, segment_.log.head());
}

TEST_F(AddressedIngestTest, ABatchWhoseChunksNoteAnotherLengthIsNotSane) {
    send("one\n");
    ASSERT_EQ(read().kind, Kind::some);
    const Staging staging(segment_.mapping, entry_0);
    ASSERT_TRUE(staging.sane());
    ChunkRecord& chunk = segment_.mapping.staging_chunks(entry_0)[0];
    const ChunkRecord right = chunk;
    ++chunk.log_end;
    EXPECT_FALSE(staging.sane());
    chunk = right;
    chunk.prefix_bytes = chunk.end;
    EXPECT_FALSE(staging.sane());
    chunk = right;
    segment_.mapping.staging_bytes(entry_0)[chunk.end - 2] = '\n';
    EXPECT_FALSE(staging.sane()) << "one line more, which would have a prefix of its own";
}

class NamedIngestTest : public LineIngestTest {
protected:
    NamedIngestTest() : LineIngestTest(Prefix::name) {}
};

TEST_F(NamedIngestTest, TheFirstLineIsTheNameAndIsNotRelayed) {
    send("Ad");
    EXPECT_EQ(read().kind, Kind::part);
    send("a\r\nhello\n");
    const Ingest::Read name = read();
    EXPECT_EQ(name.kind, Kind::some);
    EXPECT_EQ(name.bytes, 5U);
    EXPECT_TRUE(name.more);
    EXPECT_TRUE(ingest_.empty());
    EXPECT_EQ(client_.slot->bytes_read, 5U);
    EXPECT_EQ(read().bytes, 6U);
    EXPECT_EQ(published(), "Ada: hello\n");

    Client adopted{.id = id_, .fd = UniqueFd(::dup(client_.fd.get())), .slot = client_.slot};
    ingest_.introduce(adopted);
    EXPECT_EQ(adopted.prefix, "Ada: ") << "the next worker knows it";
}

TEST_F(NamedIngestTest, AClientWithoutANameIsCalledByItsAddress) {
    send("\nhello\n");
    EXPECT_EQ(read().bytes, 1U);
    EXPECT_EQ(read().bytes, 6U);
    EXPECT_EQ(published(), "192.0.2.7:4242: hello\n");
}

TEST_F(NamedIngestTest, ASourceIsCalledByItsNumberAndKeepsItsFirstLine) {
    client_.slot->source = 3;
    ingest_.introduce(client_);
    send("first\nsecond\n");
    EXPECT_EQ(read().bytes, 13U);
    EXPECT_EQ(published(), "source 3: first\nsource 3: second\n");
}

TEST_F(NamedIngestTest, ASuccessorKnowsThatTheBytesWereTheName) {
    Names(segment_.mapping).store(id_, "Ada", 4); // and recv(2) has taken them
    Ingest successor(segment_.mapping, entry_0);
    EXPECT_EQ(successor.settle(client_, 4), 4U);
    EXPECT_TRUE(successor.empty());
    EXPECT_EQ(client_.prefix, "Ada: ");
    EXPECT_EQ(client_.slot->bytes_read, 4U);
}

TEST_F(NamedIngestTest, ASuccessorReadsTheNameThatWasStoredAndNotTaken) {
    Names(segment_.mapping).store(id_, "Ada", 4);
    Ingest successor(segment_.mapping, entry_0);
    EXPECT_EQ(successor.settle(client_, 0), 0U);
    EXPECT_EQ(client_.prefix, "");
    send("Ada\nhello\n");
    EXPECT_EQ(successor.read(client_).bytes, 4U);
    EXPECT_EQ(successor.read(client_).bytes, 6U);
    EXPECT_EQ(published(), "Ada: hello\n");
}

TEST_F(NamedIngestTest, NoSuccessorTakesMoreForANameThanWasStored) {
    Ingest successor(segment_.mapping, entry_0);
    EXPECT_EQ(successor.settle(client_, 4), std::nullopt);
    Names(segment_.mapping).store(id_, "Ada", 4);
    EXPECT_EQ(successor.settle(client_, 5), std::nullopt);
}

} // namespace
} // namespace chatserv
