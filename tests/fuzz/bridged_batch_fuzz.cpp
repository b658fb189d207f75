// A message of the stream, as whoever may publish into a room can write it: what is taken for one
// is whole, is written as it was read, and nothing shorter or longer is one.
//
// Input: the message.
#include "bridge/order/batch.h"
#include "tests/fuzz/input.h"

#include <string>

namespace chatserv::fuzz {

namespace {

constexpr size_t header_bytes = 64;
// Every length of a longer message would take too long.
constexpr size_t lengths_max = 300;

void check_chunks(const Batch& batch) {
    must(batch.chunks.size() <= batch_chunks_max, "more chunks than a batch may have");
    must(batch.bytes.size() <= bridged_bytes_max, "more bytes than a batch may have");
    uint64_t bytes = 0;
    for (const BridgedChunk& chunk : batch.chunks) {
        must(chunk.bytes > 0, "a chunk without bytes");
        bytes += chunk.bytes;
    }
    must(bytes == batch.bytes.size(), "the chunks are not as long as the bytes");
}

void check_numbers(const Batch& batch) {
    must(batch.incarnation != 0, "a host without an incarnation");
    must(batch.base <= batch.from && batch.from <= batch.to(), "offsets that run backwards");
    must((batch.kind == MessageKind::join) == (batch.epoch == 0),
        "a join has no epoch, all others do");
    must((batch.kind == MessageKind::bytes) != batch.bytes.empty(),
        "bytes of a message that is not about them, or none of one that is");
}

void read_message(std::string_view message) {
    const std::optional<Batch> batch = read_batch(message);
    if (!batch)
        return;
    check_chunks(*batch);
    check_numbers(*batch);
    must(batch->bytes.empty() ||
             (batch->bytes.data() >= message.data() + header_bytes &&
                 batch->bytes.data() + batch->bytes.size() == message.data() + message.size()),
        "bytes from outside the message");
    const std::string again = written(*batch);
    must(again == message, "a message is not written as it was read");
    for (size_t length = 0; length < message.size() && length < lengths_max; ++length)
        must(!read_batch(message.substr(0, length)), "a part of a message is one");
    must(!read_batch(again + '\0'), "a message with a byte behind it is one");
}

} // namespace

} // namespace chatserv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    chatserv::fuzz::read_message({reinterpret_cast<const char*>(data), size});
    return 0;
}
