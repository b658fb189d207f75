// W1 with whole lines from a UNIX socket: a worker dies somewhere within a read, and its successor
// makes of the bytes what the read would have made of them.
#include "tests/unit/worker/relay/line_ingest_test.h"

#include <cstring>
#include <string_view>

namespace chatserv {
namespace {

using Kind = Ingest::Read::Kind;

class UnixLineDoubtTest : public UnixLineTest {
protected:
    using UnixLineTest::UnixLineTest;

    // recv(2) has put `text` behind the part, and the worker is dead.
    void receive_and_die(std::string_view text) const {
        const Staging staging(segment_.mapping, entry_0);
        const size_t at = client_.prefix.size() + part().size();
        std::memcpy(staging.room().data() + at, text.data(), text.size());
    }
    // What lies in the staging area stays there.
    void record_and_die(std::string_view lines) const {
        const Staging staging(segment_.mapping, entry_0);
        const auto bytes = static_cast<uint32_t>(lines.size());
        staging.add_lines(
            id_, {.bytes = bytes, .log_bytes = bytes}, client_.slot->bytes_read + bytes);
    }
    [[nodiscard]] std::optional<uint64_t> settle(uint64_t bytes_read) {
        return Ingest(segment_.mapping, entry_0).settle(client_, bytes_read);
    }
    // The client goes on, served by the successor.
    std::string published_after(const std::string& text) {
        send(text);
        Ingest successor(segment_.mapping, entry_0);
        EXPECT_EQ(successor.read(client_).kind, Kind::some);
        EXPECT_EQ(
            successor.publish([](const ChunkRecord&, LogRange) {}), Ingest::Publish::published);
        return segment_.text_after(0);
    }
};

TEST_F(UnixLineDoubtTest, LinesThatWereReadAreRecordedAndTheRestIsKept) {
    send("half");
    EXPECT_EQ(read().kind, Kind::part);
    receive_and_die(" and half\nnew ");
    EXPECT_EQ(settle(18), 18U);
    EXPECT_EQ(client_.slot->bytes_read, 14U);
    EXPECT_EQ(part(), "new ");
    EXPECT_TRUE(settle(18)) << "a second time";
    EXPECT_EQ(part(), "new ");
    EXPECT_EQ(published_after("line\n"), "half and half\nnew line\n");
}

TEST_F(UnixLineDoubtTest, APartGrowsByWhatWasRead) {
    send("half");
    EXPECT_EQ(read().kind, Kind::part);
    receive_and_die(" of ");
    EXPECT_TRUE(settle(8));
    EXPECT_EQ(part(), "half of ");
    EXPECT_EQ(client_.slot->bytes_read, 0U);
    EXPECT_EQ(published_after("it\n"), "half of it\n");
}

TEST_F(UnixLineDoubtTest, NothingWasRead) {
    send("half");
    EXPECT_EQ(read().kind, Kind::part);
    EXPECT_TRUE(settle(4));
    EXPECT_EQ(part(), "half");
    EXPECT_EQ(published_after(" and half\n"), "half and half\n");
}

TEST_F(UnixLineDoubtTest, TheRestLiesBehindLinesThatAreRecorded) {
    send("half");
    EXPECT_EQ(read().kind, Kind::part);
    receive_and_die(" and half\nnew ");
    std::memcpy(Staging(segment_.mapping, entry_0).room().data(), "half", 4);
    record_and_die("half and half\n");
    EXPECT_TRUE(settle(18));
    EXPECT_EQ(client_.slot->bytes_read, 14U);
    EXPECT_EQ(part(), "new ");
    EXPECT_EQ(published_after("line\n"), "half and half\nnew line\n");
}

TEST_F(UnixLineDoubtTest, APartThatHasGotItsEndIsNotKeptOnceMore) {
    send("no end");
    EXPECT_EQ(read().kind, Kind::part);
    std::memcpy(Staging(segment_.mapping, entry_0).room().data(), "no end", 6);
    Staging(segment_.mapping, entry_0).add_lines(id_, {.bytes = 6, .log_bytes = 7}, 6);
    EXPECT_TRUE(settle(6));
    EXPECT_EQ(part(), "");
    EXPECT_EQ(published_after("x\n"), "no end\nx\n");
}

TEST_F(UnixLineDoubtTest, AnAccountThatCannotBeTrueIsRefused) {
    send("half");
    EXPECT_EQ(read().kind, Kind::part);
    EXPECT_FALSE(settle(3)) << "less than what is kept";
    EXPECT_FALSE(settle(1'000'000));
    receive_and_die(std::string(40, '\r'));
    EXPECT_TRUE(settle(40)) << "it is cut";
}

class NamedUnixLineDoubtTest : public UnixLineDoubtTest {
protected:
    NamedUnixLineDoubtTest() : UnixLineDoubtTest(Prefix::name) {}
};

TEST_F(NamedUnixLineDoubtTest, TheBytesWereTheName) {
    send("Ad");
    EXPECT_EQ(read().kind, Kind::part);
    receive_and_die("a\n");
    EXPECT_TRUE(settle(4));
    EXPECT_EQ(client_.prefix, "Ada: ");
    EXPECT_EQ(client_.slot->bytes_read, 4U);
    EXPECT_EQ(part(), "");
    EXPECT_EQ(published_after("hello\n"), "Ada: hello\n");
}

// A line that is cut leaves something of the part.
TEST_F(NamedUnixLineDoubtTest, TheRestLiesBehindTheNamesLine) {
    const std::string name(32, 'x');
    send(name + "\r");
    EXPECT_EQ(read().kind, Kind::part);
    std::memcpy(Staging(segment_.mapping, entry_0).room().data(), (name + "\r").data(), 33);
    Names(segment_.mapping).store(id_, name, 32);
    client_.slot->bytes_read = 32;
    EXPECT_EQ(part(), "none");
    EXPECT_TRUE(settle(33));
    EXPECT_EQ(part(), "\r");
    EXPECT_EQ(published_after("y\n"), name + ": \ry\n");
}

} // namespace
} // namespace chatserv
