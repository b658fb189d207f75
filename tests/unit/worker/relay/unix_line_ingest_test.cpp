// Ingest of whole lines from a UNIX socket: what waits there holds its sender up, so all of it is
// taken, and an unfinished line waits in the segment.
#include "tests/unit/worker/relay/line_ingest_test.h"

#include <cstring>
#include <unistd.h>

namespace chatserv {
namespace {

using Kind = Ingest::Read::Kind;

class UnixLineIngestTest : public UnixLineTest {
protected:
    using UnixLineTest::UnixLineTest;
};

TEST_F(UnixLineIngestTest, AnUnfinishedLineIsTakenAndKept) {
    send("half");
    const Ingest::Read taken = read();
    EXPECT_EQ(taken.kind, Kind::part);
    EXPECT_EQ(taken.bytes, 4U);
    EXPECT_EQ(unread(), 0U);
    EXPECT_TRUE(ingest_.empty());
    EXPECT_EQ(part(), "half");
    EXPECT_EQ(read().kind, Kind::nothing);
    send(" and half\nand more");
    const Ingest::Read lines = read();
    EXPECT_EQ(lines.kind, Kind::some);
    EXPECT_EQ(lines.bytes, 14U);
    EXPECT_FALSE(lines.more) << "the rest has to wait";
    EXPECT_EQ(unread(), 0U);
    EXPECT_EQ(published(), "half and half\n");
    EXPECT_EQ(client_.slot->bytes_read, 14U);
    EXPECT_EQ(part(), "and more");
    send("!\n");
    EXPECT_EQ(read().bytes, 10U);
    EXPECT_EQ(published(), "half and half\nand more!\n");
    EXPECT_EQ(part(), "");
}

TEST_F(UnixLineIngestTest, WholeLinesBeyondTheLimitStayInTheSocket) {
    send("one\ntwo\nthree");
    const Ingest::Read lines = read(5);
    EXPECT_EQ(lines.bytes, 4U);
    EXPECT_TRUE(lines.more);
    EXPECT_EQ(unread(), 9U);
    EXPECT_EQ(part(), "");
    EXPECT_EQ(read().bytes, 4U);
    EXPECT_EQ(part(), "three");
    EXPECT_EQ(published(), "one\ntwo\n");
}

TEST_F(UnixLineIngestTest, TheNextWorkerGoesOnWithThePart) {
    send("half");
    EXPECT_EQ(read().kind, Kind::part);
    Ingest next(segment_.mapping, entry_1);
    Client moved{.id = id_, .fd = UniqueFd(::dup(client_.fd.get())), .slot = client_.slot};
    next.introduce(moved);
    EXPECT_EQ(moved.unfinished_bytes, 4U);
    send(" and half\n");
    EXPECT_EQ(next.read(moved).bytes, 14U);
    EXPECT_EQ(next.publish([](const ChunkRecord&, LogRange) {}), Ingest::Publish::published);
    EXPECT_EQ(segment_.text_after(0), "half and half\n");
}

TEST_F(UnixLineIngestTest, ThePartOfAClientThatLeavesGetsAnEnd) {
    send("one\nno");
    EXPECT_EQ(read().bytes, 4U);
    send(" end");
    EXPECT_EQ(read().kind, Kind::part);
    ::shutdown(peer_.get(), SHUT_WR);
    EXPECT_EQ(read(any_bytes, true).kind, Kind::end_of_file);
    EXPECT_EQ(published(), "one\nno end\n");
    EXPECT_EQ(client_.slot->bytes_read, 10U);
    EXPECT_EQ(read(any_bytes, true).kind, Kind::end_of_file);
    EXPECT_TRUE(ingest_.empty()) << "once";
}

TEST_F(UnixLineIngestTest, WhatIsUnreadAtTheEndGetsAnEnd) {
    send("no");
    EXPECT_EQ(read().kind, Kind::part);
    send(" end");
    ::shutdown(peer_.get(), SHUT_WR);
    const Ingest::Read rest = read(any_bytes, true);
    EXPECT_EQ(rest.kind, Kind::some);
    EXPECT_EQ(rest.bytes, 6U);
    EXPECT_TRUE(rest.more);
    EXPECT_EQ(read(any_bytes, true).kind, Kind::end_of_file);
    EXPECT_EQ(published(), "no end\n");
}

// A peer that ends with something unread breaks the connection on some systems.
TEST_F(UnixLineIngestTest, ThePartOutlivesABrokenConnection) {
    send("no end");
    EXPECT_EQ(read().kind, Kind::part);
    ASSERT_EQ(::send(client_.fd.get(), "x", 1, 0), 1);
    peer_.reset();
    const Kind kind = read(any_bytes, true).kind;
    EXPECT_TRUE(kind == Kind::failed || kind == Kind::end_of_file);
    EXPECT_EQ(published(), "no end\n");
}

// The carriage return could have been a part of the line's end: it is kept, then begins a line. A
// look shows one byte beyond the longest part, and that byte is taken along.
TEST_F(UnixLineIngestTest, ALineIsCutWithinThePart) {
    send(std::string(32, 'x') + "\r");
    EXPECT_EQ(read().kind, Kind::part);
    send("y\nz\n");
    const Ingest::Read cut = read(1);
    EXPECT_EQ(cut.kind, Kind::some);
    EXPECT_EQ(cut.bytes, 32U);
    EXPECT_EQ(cut.cuts, 1U);
    EXPECT_TRUE(cut.more);
    EXPECT_EQ(part(), "\ry");
    EXPECT_EQ(unread(), 3U);
    EXPECT_EQ(read().bytes, 5U);
    EXPECT_EQ(published(), std::string(32, 'x') + "\n\ry\nz\n");
}

TEST_F(UnixLineIngestTest, AStrayLengthLeadsNowhere) {
    const PartRecord stray{.generation = id_.generation, .bytes = ~0U, .from = 0};
    std::memcpy(segment_.mapping.parts().data(), &stray, sizeof stray);
    EXPECT_EQ(part().size(), 33U);
    send("x\n");
    EXPECT_EQ(read().kind, Kind::some);
    EXPECT_TRUE(Staging(segment_.mapping, entry_0).sane());
}

TEST_F(UnixLineIngestTest, TheNextClientOfTheSlotHasNothingOfThePart) {
    send("half");
    EXPECT_EQ(read().kind, Kind::part);
    EXPECT_TRUE(Parts(segment_.mapping).of(client_id(0, 2), 0)->empty());
    EXPECT_TRUE(Parts(segment_.mapping).of(client_id(1), 0)->empty());
    EXPECT_FALSE(Parts(segment_.mapping).of(client_id(0, 2), 4)) << "it has kept none yet";
}

class NamedUnixIngestTest : public UnixLineIngestTest {
protected:
    NamedUnixIngestTest() : UnixLineIngestTest(Prefix::name) {}
};

TEST_F(NamedUnixIngestTest, ANameMayComeInParts) {
    send("Ad");
    EXPECT_EQ(read().kind, Kind::part);
    EXPECT_EQ(client_.slot->bytes_read, 0U);
    send("a\nhel");
    const Ingest::Read name = read();
    EXPECT_EQ(name.kind, Kind::some);
    EXPECT_EQ(name.bytes, 4U);
    EXPECT_TRUE(name.more);
    EXPECT_EQ(client_.prefix, "Ada: ");
    EXPECT_TRUE(ingest_.empty());
    EXPECT_EQ(read().kind, Kind::part);
    send("lo\n");
    EXPECT_EQ(read().bytes, 6U);
    EXPECT_EQ(published(), "Ada: hello\n");
    EXPECT_EQ(client_.slot->bytes_read, 10U);
}

TEST_F(NamedUnixIngestTest, ANameWithoutAnEndIsNotSaid) {
    send("Ad");
    EXPECT_EQ(read().kind, Kind::part);
    ::shutdown(peer_.get(), SHUT_WR);
    EXPECT_EQ(read(any_bytes, true).kind, Kind::end_of_file);
    EXPECT_TRUE(ingest_.empty());
}

} // namespace
} // namespace chatserv
