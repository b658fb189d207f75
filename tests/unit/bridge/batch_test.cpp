// The format that hosts share: what is written is read, to the byte, and nothing else is.
#include "bridge/order/batch.h"

#include "bridge/order/digest.h"

#include <gtest/gtest.h>
#include <random>

namespace chatserv {
namespace {

const std::string payload("one\ntw\0o\n", 9);

Batch two_senders() {
    return {.kind = MessageKind::bytes,
        .incarnation = 0x1122334455667788,
        .epoch = 7,
        .base = 90,
        .from = 100,
        .applied = 41,
        .hash = 0xfedcba9876543210,
        .chunks = {{SlotId(3), 2, 4, 1004}, {SlotId(5), 1, 5, 77}},
        .bytes = payload};
}

TEST(Batch, ReadsWhatWasWritten) {
    const std::string message = written(two_senders());
    const std::optional<Batch> read = read_batch(message);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->kind, MessageKind::bytes);
    EXPECT_EQ(read->incarnation, 0x1122334455667788U);
    EXPECT_EQ(read->epoch, 7U);
    EXPECT_EQ(read->base, 90U);
    EXPECT_EQ(read->from, 100U);
    EXPECT_EQ(read->to(), 109U);
    EXPECT_EQ(read->applied, 41U);
    EXPECT_EQ(read->hash, 0xfedcba9876543210U);
    EXPECT_EQ(read->chunks, two_senders().chunks);
    EXPECT_EQ(read->bytes, payload);
}

TEST(Batch, HasOneFormOnEveryMachine) {
    const std::string message = written(two_senders());
    ASSERT_EQ(message.size(), 64U + 2 * 24 + 9);
    EXPECT_EQ(message.substr(0, 8), std::string("csb1\2\0\0\0", 8));
    EXPECT_EQ(message.substr(8, 8), "\x88\x77\x66\x55\x44\x33\x22\x11");
    EXPECT_EQ(message.substr(56, 8), std::string("\2\0\0\0\x09\0\0\0", 8));
    EXPECT_EQ(message.substr(64, 8), std::string("\3\0\0\0\2\0\0\0", 8));
}

TEST(Batch, ReadsTheLargest) {
    const std::string bytes(bridged_bytes_max, 'x');
    Batch batch = two_senders();
    batch.bytes = bytes;
    batch.chunks.assign(batch_chunks_max, {SlotId(1), 1, bridged_bytes_max / batch_chunks_max, 1});
    EXPECT_TRUE(read_batch(written(batch)));
    batch.chunks.push_back({SlotId(1), 1, 1, 1});
    EXPECT_FALSE(read_batch(written(batch)));
}

TEST(Batch, RefusesEveryOtherLength) {
    const std::string message = written(two_senders());
    for (size_t length = 0; length < message.size(); ++length)
        EXPECT_FALSE(read_batch(std::string_view(message).substr(0, length))) << length;
    EXPECT_FALSE(read_batch(message + "x"));
}

TEST(Batch, RefusesWhatMakesNoSense) {
    const auto refused = [](auto change) {
        Batch batch = two_senders();
        change(batch);
        return !read_batch(written(batch));
    };
    EXPECT_FALSE(refused([](Batch&) {}));
    EXPECT_TRUE(refused([](Batch& batch) { batch.kind = MessageKind(0); }));
    EXPECT_TRUE(refused([](Batch& batch) { batch.kind = MessageKind(5); }));
    EXPECT_TRUE(refused([](Batch& batch) { batch.kind = MessageKind::here; })) << "with bytes";
    EXPECT_TRUE(refused([](Batch& batch) { batch.kind = MessageKind::join; })) << "with bytes";
    EXPECT_TRUE(refused([](Batch& batch) { batch.incarnation = 0; }));
    EXPECT_TRUE(refused([](Batch& batch) { batch.epoch = 0; }));
    EXPECT_TRUE(refused([](Batch& batch) { batch.base = 101; })) << "beyond the first byte";
    EXPECT_TRUE(refused([](Batch& batch) { batch.from = uint64_t{1} << 63; }));
    EXPECT_TRUE(refused([](Batch& batch) { batch.chunks[0].bytes = 3; })) << "not all bytes";
    EXPECT_TRUE(refused([](Batch& batch) { batch.chunks[0].bytes = 0; }));
    EXPECT_TRUE(refused([](Batch& batch) { batch.chunks.clear(); }));
    EXPECT_TRUE(refused([](Batch& batch) {
        batch.bytes = {};
        batch.chunks.clear();
    })) << "no bytes";
    // Lengths whose sum is right modulo 2^32.
    EXPECT_TRUE(refused([](Batch& batch) {
        batch.chunks[0].bytes = 0x80000004;
        batch.chunks[1].bytes = 0x80000005;
    }));
    std::string other = written(two_senders());
    other[3] = '2';
    EXPECT_FALSE(read_batch(other)) << "another format";
    other = written(two_senders());
    other[64 + 12] = 1;
    EXPECT_FALSE(read_batch(other)) << "a number that has no meaning";
}

TEST(Batch, TellsWhatHasNoBytes) {
    for (const MessageKind kind : {MessageKind::join, MessageKind::here, MessageKind::ask}) {
        Batch batch{.kind = kind, .incarnation = 9, .epoch = 4};
        EXPECT_EQ(read_batch(written(batch)).has_value(), kind != MessageKind::join);
        batch.epoch = 0;
        EXPECT_EQ(read_batch(written(batch)).has_value(), kind == MessageKind::join);
    }
}

TEST(Digest, IsFnv1a) { // test vectors of draft-eastlake-fnv
    EXPECT_EQ(Digest().value(), 0xcbf29ce484222325U);
    EXPECT_EQ(Digest().add("a").value(), 0xaf63dc4c8601ec8cU);
    EXPECT_EQ(Digest().add("foobar").value(), 0x85944171f73967e8U);
    EXPECT_EQ(Digest().add(uint64_t{0x61}).value(),
        Digest().add(std::string_view("a\0\0\0\0\0\0\0", 8)).value());
}

} // namespace
} // namespace chatserv
