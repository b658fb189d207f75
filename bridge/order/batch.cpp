#include "bridge/order/batch.h"

namespace chatserv {
namespace {

constexpr uint32_t magic = 0x31627363; // "csb1", little-endian
constexpr size_t header_bytes = 64;
constexpr size_t chunk_bytes = 24;
// No log gets as far; so no sum of an offset and a length overflows.
constexpr uint64_t offset_max = uint64_t{1} << 62;

class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    void number(uint64_t value, int bytes) {
        for (int i = 0; i < bytes; ++i)
            out_.push_back(static_cast<char>(value >> (8 * i)));
    }

private:
    std::string& out_;
};

class Reader {
public:
    explicit Reader(std::string_view in) : in_(in) {}

    uint32_t number32() { return static_cast<uint32_t>(number(4)); }
    uint64_t number64() { return number(8); }

private:
    uint64_t number(size_t bytes) {
        uint64_t value = 0;
        for (size_t i = 0; i < bytes; ++i)
            value |= uint64_t{static_cast<unsigned char>(in_[at_ + i])} << (8 * i);
        at_ += bytes;
        return value;
    }

    std::string_view in_;
    size_t at_ = 0;
};

bool makes_sense(const Batch& batch) {
    if (batch.incarnation == 0 || batch.from > offset_max || batch.base > batch.from)
        return false;
    switch (batch.kind) {
    case MessageKind::join:
        return batch.epoch == 0 && batch.bytes.empty() && batch.chunks.empty();
    case MessageKind::here:
    case MessageKind::ask:
        return batch.epoch != 0 && batch.bytes.empty() && batch.chunks.empty();
    case MessageKind::bytes:
        return batch.epoch != 0 && !batch.bytes.empty();
    }
    return false;
}

} // namespace

std::string written(const Batch& batch) {
    std::string message;
    message.reserve(header_bytes + batch.chunks.size() * chunk_bytes + batch.bytes.size());
    Writer out(message);
    out.number(magic, 4);
    out.number(static_cast<uint32_t>(batch.kind), 4);
    for (const uint64_t number :
        {batch.incarnation, batch.epoch, batch.base, batch.from, batch.applied, batch.hash})
        out.number(number, 8);
    out.number(batch.chunks.size(), 4);
    out.number(batch.bytes.size(), 4);
    for (const BridgedChunk& chunk : batch.chunks) {
        out.number(index_of(chunk.slot), 4);
        out.number(chunk.generation, 4);
        out.number(chunk.bytes, 4);
        out.number(0, 4);
        out.number(chunk.sender_bytes, 8);
    }
    message.append(batch.bytes);
    return message;
}

std::optional<Batch> read_batch(std::string_view message) {
    if (message.size() < header_bytes)
        return std::nullopt;
    Reader in(message);
    if (in.number32() != magic)
        return std::nullopt;
    Batch batch;
    batch.kind = static_cast<MessageKind>(in.number32());
    for (uint64_t* number :
        {&batch.incarnation, &batch.epoch, &batch.base, &batch.from, &batch.applied, &batch.hash})
        *number = in.number64();
    const uint32_t chunks = in.number32();
    const uint32_t bytes = in.number32();
    if (chunks > batch_chunks_max || bytes > bridged_bytes_max ||
        message.size() != header_bytes + chunks * chunk_bytes + bytes)
        return std::nullopt;
    uint64_t chunked = 0;
    batch.chunks.reserve(chunks);
    for (uint32_t i = 0; i < chunks; ++i) {
        BridgedChunk chunk{};
        chunk.slot = SlotId(in.number32());
        chunk.generation = in.number32();
        chunk.bytes = in.number32();
        const uint32_t unused = in.number32();
        chunk.sender_bytes = in.number64();
        if (chunk.bytes == 0 || unused != 0)
            return std::nullopt;
        chunked += chunk.bytes;
        batch.chunks.push_back(chunk);
    }
    batch.bytes = message.substr(message.size() - bytes);
    if (chunked != bytes || !makes_sense(batch))
        return std::nullopt;
    return batch;
}

} // namespace chatserv
