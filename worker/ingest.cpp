#include "worker/ingest.h"

#include "shared/atomic_word.h"
#include "shared/worker_table.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace chatserv {

namespace {

// One sender's share of a batch: enough that a fast one is read and relayed in large pieces, little
// enough that others have room in the same batch.
constexpr size_t read_bytes_max = 64 * 1024;

// Less room than that is not worth a system call.
constexpr size_t read_bytes_min = 4 * 1024;

} // namespace

Ingest::Ingest(const Region& region, uint32_t entry) :
    entry_(&region.worker_table()[entry]), entry_number_(entry), staging_(region, entry),
    appender_(region) {
    // W3: a predecessor may have died between the commit of its batch and this.
    if (staging_.published())
        staging_.clear();
}

bool Ingest::full() const {
    return staging_.room().size() < read_bytes_min;
}

Ingest::Read Ingest::read(Client& client) {
    const std::span<char> room = staging_.room();
    const size_t limit = std::min(room.size(), read_bytes_max);
    begin_operation(*entry_, Operation::receive, client.id.slot);
    ssize_t got = 0;
    do {
        got = ::recv(client.fd.get(), room.data(), limit, 0);
    } while (got == -1 && errno == EINTR);
    // W1: the bytes are in the staging area and no record says so yet.
    if (got > 0) {
        const uint64_t total = load_acquire(client.slot->bytes_read) + static_cast<uint64_t>(got);
        staging_.add(client.id, static_cast<uint32_t>(got), total);
        store_release(client.slot->bytes_read, total);
    }
    const int error = errno;
    end_operation(*entry_);
    errno = error;
    if (got > 0)
        return Read::some;
    if (got == 0)
        return Read::end_of_file;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Read::nothing : Read::failed;
}

Ingest::Publish Ingest::append(uint64_t& begin) {
    LogLock lock(appender_.control(), entry_number_);
    if (!lock.held())
        return Publish::locked_out;
    begin = load_acquire(appender_.control().head);
    return appender_.append(staging_, entry_number_) == AppendResult::appended ? Publish::published
                                                                               : Publish::no_room;
}

} // namespace chatserv
