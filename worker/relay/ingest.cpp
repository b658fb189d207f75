#include "worker/relay/ingest.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/segment/in_flight.h"
#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace chatserv {

namespace {

// One sender's share of a batch: large enough to read and relay a fast sender in large pieces,
// small enough to leave room for others in the same batch.
constexpr size_t read_bytes_max = 256 * 1024;

// Less room than this is not worth a system call.
constexpr size_t read_bytes_min = 4 * 1024;

// The kernel takes this much for not much more than it takes a line.
constexpr size_t small_batch_bytes = 16 * 1024;

} // namespace

Ingest::Ingest(const Segment& segment, EntryId entry) :
    entry_(&segment.worker_table()[index_of(entry)]), entry_id_(entry), staging_(segment, entry),
    appender_(segment) {
    invariant(staging_.sane(), "a staging area held what no worker writes");
    // W3: a predecessor may have died after the commit of its batch and before this.
    if (staging_.published())
        staging_.clear();
}

bool Ingest::full() const {
    return staging_.room().size() < read_bytes_min;
}

bool Ingest::is_small() const {
    return !empty() && !full() && staging_.payload().size() < small_batch_bytes;
}

Ingest::Read Ingest::read(Client& client, size_t bytes_max) {
    const std::span<char> room = staging_.room();
    const size_t limit = std::min({room.size(), read_bytes_max, bytes_max});
    begin_operation(*entry_, Operation::receive, client.id.slot);
    ssize_t got = 0;
    do {
        got = ::recv(client.fd.get(), room.data(), limit, 0);
    } while (got == -1 && errno == EINTR);
    const int error = errno;
    crash_point(CrashPoint::received); // W1: the bytes are in the staging area, unrecorded
    if (got > 0)
        record(client, static_cast<uint32_t>(got),
            load_acquire(client.slot->bytes_read) + static_cast<uint64_t>(got));
    end_operation(*entry_);
    if (got > 0)
        return {.kind = Read::Kind::some, .bytes = static_cast<uint32_t>(got)};
    if (got == 0)
        return {.kind = Read::Kind::end_of_file};
    if (error == EAGAIN || error == EWOULDBLOCK)
        return {.kind = Read::Kind::nothing};
    return {.kind = Read::Kind::failed, .error = error};
}

void Ingest::record(const Client& client, uint32_t bytes, uint64_t bytes_read) {
    staging_.add(client.id, bytes, bytes_read);
    crash_point(CrashPoint::recorded);
    // A death here leaves the chunk recorded and its sender's total too low: settle() looks at
    // both.
    store_release(client.slot->bytes_read, bytes_read);
}

std::optional<uint64_t> Ingest::settle(const Client& client, uint64_t bytes_read) {
    uint64_t recorded = load_acquire(client.slot->bytes_read);
    for (const ChunkRecord& chunk : staging_.chunks())
        if (ClientId{chunk.slot, chunk.generation} == client.id)
            recorded = std::max(recorded, chunk.sender_bytes);
    store_release(client.slot->bytes_read, recorded);
    const uint64_t unrecorded = (bytes_read - recorded) & byte_count_mask;
    if (unrecorded > staging_.room().size())
        return std::nullopt;
    if (unrecorded > 0)
        record(client, static_cast<uint32_t>(unrecorded), recorded + unrecorded);
    return unrecorded;
}

Ingest::Publish Ingest::append(uint64_t& begin) {
    LogLock lock(appender_.control(), entry_id_);
    if (!lock.held())
        return Publish::locked_out;
    begin = load_acquire(appender_.control().head);
    return appender_.append(staging_, entry_id_) == AppendResult::appended ? Publish::published
                                                                           : Publish::no_room;
}

} // namespace chatserv
