// Fan-out, the second half of a byte's way: from the log to a client's socket, at its cursor.
//
// One system call writes everything that a client lacks, without the client's own bytes. There is
// no queue per client: a client lacks the stretch of the log between its cursor and the target.
#pragma once

#include "shared/segment/broadcast_log.h"
#include "worker/clients/client.h"
#include "worker/relay/resume_line.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace chatserv {

class FanOut {
public:
    struct Delivery {
        enum class Kind {
            complete,  // the cursor is at the target
            more,      // one system call could not take that many pieces: call again
            blocked,   // the socket takes no more: wait for EVFILT_WRITE
            no_memory, // the system had no memory for the write: try again
            failed,    // the connection is broken
        };
        Kind kind;
        int error = 0; // no_memory, failed: the errno of send(2)
    };

    FanOut(const Segment& segment, EntryId entry) :
        entry_(&segment.worker_table()[index_of(entry)]), log_(segment) {}

    // Writes what the client lacks up to `target`, and moves its cursor.
    [[nodiscard]] Delivery deliver(Client& client, uint64_t target) const;

    // Writes a line that is not part of the log, after which the client counts as told that it
    // sends too fast. A rest that the socket does not take is not sent: the result is complete if
    // the socket took anything.
    [[nodiscard]] Delivery notify(Client& client, std::string_view line) const;

    // Writes what the client has not been sent of its answer (resume_line.h). The result is
    // complete when it has all of it, and is sent the log from then on.
    [[nodiscard]] Delivery answer(Client& client) const;

    // Writes what the client has not been sent of the last line (last_line.h), on a line of its
    // own. For a client that is closing and has all of the log. The result is complete when it has
    // all of the line.
    [[nodiscard]] Delivery say_last_line(const Client& client) const;

    // W2: a predecessor died while it was writing to this client. The kernel says that it had
    // written `bytes_written` bytes in all, and the cursor is moved there. Returns how many bytes
    // it had not recorded; nothing if that is beyond the target, so that the account cannot be
    // true.
    [[nodiscard]] static std::optional<uint64_t> settle(
        Client& client, uint64_t bytes_written, uint64_t target);

    // W2, if the predecessor was writing a line of `line_bytes` that is not part of the log: the
    // cursor keeps its place in the log. Returns nothing if more than the line was written.
    [[nodiscard]] static std::optional<uint64_t> settle_notice(
        Client& client, uint64_t bytes_written, uint64_t line_bytes);

    // W9: if the predecessor was writing the client's answer. Returns nothing if more than that was
    // written.
    [[nodiscard]] std::optional<uint64_t> settle_answer(
        Client& client, uint64_t bytes_written) const;

    // W11: if the predecessor was writing the last line. Returns nothing if more than that was
    // written.
    [[nodiscard]] static std::optional<uint64_t> settle_last_line(
        Client& client, uint64_t bytes_written);

private:
    void begin_last_line(const Client& client) const;
    [[nodiscard]] AnswerLine answer_of(const Client& client) const {
        return {client.answer, log_.life(), cursor_of(*client.slot).log_offset};
    }

    WorkerEntry* entry_;
    BroadcastLog log_;
};

} // namespace chatserv
