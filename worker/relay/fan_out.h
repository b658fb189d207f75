// Fan-out, the second half of a byte's way: from the log to a client's socket, at its cursor.
//
// A client gets the whole of what it lacks in one system call; its own bytes are left out. There is
// no queue per client: what it lacks is the log between its cursor and the target.
#pragma once

#include "shared/segment/broadcast_log.h"
#include "worker/clients/client.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace chatserv {

class FanOut {
public:
    enum class Delivery {
        complete,  // the cursor is at the target
        more,      // one system call was not enough for so many pieces: call again
        blocked,   // the socket takes no more: wait for EVFILT_WRITE
        no_memory, // the system has none for it now: try again
        failed,    // the socket is broken; errno says why
    };

    FanOut(const Segment& segment, uint32_t entry) :
        entry_(&segment.worker_table()[entry]), log_(segment) {}

    // Writes what the client lacks up to `target` and moves its cursor.
    [[nodiscard]] Delivery deliver(Client& client, uint64_t target) const;

    // Writes a line that is not of the log; the client counts as told that it sends too fast. What
    // of it the socket does not take is not sent: complete where it took anything.
    [[nodiscard]] Delivery notify(Client& client, std::string_view line) const;

    // W2: moves the cursor of a client whose worker died while writing to where the kernel says
    // that it was: `bytes_written` in all. Returns how many bytes it had written and not recorded;
    // nothing where that is further than the target.
    [[nodiscard]] static std::optional<uint64_t> settle(
        Client& client, uint64_t bytes_written, uint64_t target);

    // W2, where it died while writing a line of `line_bytes` that is not of the log: the cursor
    // stays where it is in the log. Nothing where more than the line was written.
    [[nodiscard]] static std::optional<uint64_t> settle_notice(
        Client& client, uint64_t bytes_written, uint64_t line_bytes);

private:
    WorkerEntry* entry_;
    BroadcastLog log_;
};

} // namespace chatserv
