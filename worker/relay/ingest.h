// Ingest, the first half of a byte's way: from a client's socket into the staging area, and from
// there into the log. A worker has one, for the staging area of its entry.
#pragma once

#include "shared/segment/broadcast_log.h"
#include "shared/segment/log_append.h"
#include "shared/segment/staging.h"
#include "worker/clients/client.h"
#include "worker/relay/intake.h"
#include "worker/relay/line_ingest.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

namespace chatserv {

class Ingest {
public:
    using Read = Intake::Read;

    enum class Publish {
        nothing,    // nothing was staged
        published,  // the log has the batch
        locked_out, // another worker is appending: try again when it has released the lock
        no_room,    // the slowest readers have to advance first: see BroadcastLog::room_wanted
    };

    Ingest(const Segment& segment, EntryId entry);
    Ingest(const Ingest&) = delete;
    Ingest& operator=(const Ingest&) = delete;

    // What an append asks of slow readers from now on.
    void follow(SlowPolicy policy) { appender_.follow(policy); }

    // The staging area has no room worth a recv(2): publish first.
    [[nodiscard]] bool full() const;
    [[nodiscard]] bool empty() const { return staging().empty(); }
    // Something is staged, and more of it would still make writes cheaper.
    [[nodiscard]] bool is_small() const;
    // Something is staged, and it came in such small pieces that to read less often would make both
    // reads and writes cheaper.
    [[nodiscard]] bool is_in_pieces() const;

    // Sets what is known of a client that was just attached.
    void introduce(Client& client) const;

    // Reads what one recv(2) brings, up to `bytes_max`. Must not be called when full().
    // With Framing::line it reads whole lines, and the first of them even if it is longer. From a
    // UNIX socket it also takes what has come of the next line (parts.h).
    // `at_end`: nothing can follow what the socket holds, so the rest is a line.
    [[nodiscard]] Read read(
        Client& client, size_t bytes_max = std::numeric_limits<size_t>::max(), bool at_end = false);

    // W1: a predecessor died while it was reading from this client. The kernel says that it had
    // read `bytes_read` bytes in all; those of them that it had not recorded lie in the staging
    // area and are recorded now. Returns how many; nothing if the account cannot be true.
    [[nodiscard]] std::optional<uint64_t> settle(Client& client, uint64_t bytes_read);

    // Publishes the batch and begins the next one. Calls own(const ChunkRecord&, LogRange) for each
    // published chunk, in order, with its place in the log.
    template <typename Own>
    [[nodiscard]] Publish publish(Own own) {
        if (staging().empty())
            return Publish::nothing;
        uint64_t begin = 0;
        const Publish result = append(begin);
        if (result != Publish::published)
            return result;
        uint64_t chunk_begin = begin;
        for (const ChunkRecord& chunk : staging().chunks()) {
            own(chunk, LogRange{chunk_begin, begin + chunk.log_end});
            chunk_begin = begin + chunk.log_end;
        }
        staging().clear();
        return Publish::published;
    }

private:
    [[nodiscard]] Publish append(uint64_t& begin);
    [[nodiscard]] const Staging& staging() const { return intake_.staging(); }

    EntryId entry_id_;
    Intake intake_;
    LogAppender appender_;
    LineIngest lines_;
};

} // namespace chatserv
