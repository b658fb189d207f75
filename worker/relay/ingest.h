// Ingest, the first half of a byte's way: from a client's socket into the staging area, and from
// there into the log. A worker has one, for the staging area of its entry.
#pragma once

#include "shared/segment/broadcast_log.h"
#include "shared/segment/log_append.h"
#include "shared/segment/staging.h"
#include "worker/clients/client.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

namespace chatserv {

class Ingest {
public:
    // What came of one recv(2).
    struct Read {
        enum class Kind {
            some,        // bytes were staged
            nothing,     // the socket had none
            end_of_file, // and never will
            failed,      // the connection is broken
        };
        Kind kind;
        uint32_t bytes = 0; // some: how many
        int error = 0;      // failed: the errno of recv(2)
    };
    enum class Publish {
        nothing,    // nothing was staged
        published,  // the log has the batch
        locked_out, // another worker is appending: try again when it has released the lock
        no_room,    // the slowest readers have to advance first: see BroadcastLog::room_wanted
    };

    Ingest(const Segment& segment, EntryId entry);

    // The staging area has no room worth a recv(2): publish first.
    [[nodiscard]] bool full() const;
    [[nodiscard]] bool empty() const { return staging_.empty(); }
    // Something is staged, and more of it would still make writes cheaper.
    [[nodiscard]] bool is_small() const;

    // Reads what one recv(2) brings, up to `bytes_max`. Must not be called when full().
    [[nodiscard]] Read read(Client& client, size_t bytes_max = std::numeric_limits<size_t>::max());

    // W1: a predecessor died while it was reading from this client. The kernel says that it had
    // read `bytes_read` bytes in all; those of them that it had not recorded lie in the staging
    // area and are recorded now. Returns how many; nothing if the account cannot be true.
    [[nodiscard]] std::optional<uint64_t> settle(const Client& client, uint64_t bytes_read);

    // Publishes the batch and begins the next one. Calls own(const ChunkRecord&, LogRange) for each
    // published chunk, in order, with its place in the log.
    template <typename Own>
    [[nodiscard]] Publish publish(Own own) {
        if (staging_.empty())
            return Publish::nothing;
        uint64_t begin = 0;
        const Publish result = append(begin);
        if (result != Publish::published)
            return result;
        uint64_t chunk_begin = begin;
        for (const ChunkRecord& chunk : staging_.chunks()) {
            own(chunk, LogRange{chunk_begin, begin + chunk.end});
            chunk_begin = begin + chunk.end;
        }
        staging_.clear();
        return Publish::published;
    }

private:
    [[nodiscard]] Publish append(uint64_t& begin);
    void record(const Client& client, uint32_t bytes, uint64_t bytes_read);

    WorkerEntry* entry_;
    EntryId entry_id_;
    Staging staging_;
    LogAppender appender_;
};

} // namespace chatserv
