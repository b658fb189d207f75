// Ingest, the first half of a byte's way: from a client's socket into the staging area, and from
// there into the log.
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
    enum class Read {
        some,        // bytes were staged
        nothing,     // there was nothing to read
        end_of_file, //
        failed,      // recv(2) failed for this client; errno says why
    };
    enum class Publish {
        nothing,    // nothing was staged
        published,  // the log has it; published_chunks() tells who sent what
        locked_out, // another worker is appending: try again when it is done
        no_room,    // the slowest readers must get on first: see BroadcastLog::room_wanted
    };

    Ingest(const Segment& segment, uint32_t entry);

    // No room to read into: publish first.
    [[nodiscard]] bool full() const;
    [[nodiscard]] bool empty() const { return staging_.empty(); }

    // Reads what one recv(2) brings, up to `bytes_max`. Not to be called when full().
    [[nodiscard]] Read read(Client& client, size_t bytes_max = std::numeric_limits<size_t>::max());

    // W1: records what a worker that died while reading had read, if it had not recorded it: the
    // kernel says that `bytes_read` in all were read from this client, and the bytes lie in the
    // staging area. Returns how many bytes it recorded; nothing where that cannot be.
    [[nodiscard]] std::optional<uint64_t> settle(const Client& client, uint64_t bytes_read);

    // Publishes the batch and begins the next one. Calls own(const ChunkRecord&, LogRange) for each
    // chunk published, in order, with where the log has it.
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
    uint32_t entry_number_;
    Staging staging_;
    LogAppender appender_;
};

} // namespace chatserv
