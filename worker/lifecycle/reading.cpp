#include "worker/lifecycle/reading.h"

#include "shared/system/connection_end.h"
#include "worker/clients/client_events.h"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace chatserv {

std::optional<Reading::End> Reading::read(Client& client, bool at_end) const {
    if (!client.is_heard())
        return discard(client);
    const size_t bytes_max = rate_limiter_.allowance(client);
    if (bytes_max == 0) {
        filters_.pause_reading(client, Client::too_fast);
        return std::nullopt;
    }
    if (publisher_.ingest().full()) {
        filters_.pause_reading(client, Client::no_room);
        publisher_.wait_for_room(client.id);
        return std::nullopt;
    }
    const Ingest::Read read = publisher_.ingest().read(client, bytes_max, at_end);
    switch (read.kind) {
    case Ingest::Read::Kind::some:
        return note_read(client, read);
    case Ingest::Read::Kind::part: // a look that finds no more of it than the last one is no news
        if (std::exchange(client.unfinished_bytes, read.bytes) != read.bytes)
            idle_watch_.note_heard(client);
        return std::nullopt;
    case Ingest::Read::Kind::nothing:
        return std::nullopt;
    case Ingest::Read::Kind::end_of_file: // of a mute client: see Deliveries::deliver
        if (client.mute && client.leave_error != EPIPE)
            return End{LeaveReason::write_error, client.leave_error};
        return End{LeaveReason::end_of_file, 0};
    case Ingest::Read::Kind::failed:
        break;
    }
    return End{LeaveReason::read_error, read.error};
}

// No operation is in flight meanwhile: a death here loses nothing that anybody is to get. After an
// end of file recv(2) says nothing else, so the socket is asked whether it can still be written to.
// The kernel tells an error once. If a worker dies that has heard it, its successor finds the
// connection ended without one, and the client leaves as after an end of file; so does one that
// resets after its end of file, which is how a program ends that was not sent everything (EPIPE).
std::optional<Reading::End> Reading::discard(Client& client) const {
    char unwanted[16 * 1024];
    const ssize_t got = ::recv(client.fd.get(), unwanted, sizeof unwanted, 0);
    if (got > 0)
        return std::nullopt;
    if (got == -1) {
        const bool waiting = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        return waiting ? std::nullopt : std::optional(End{LeaveReason::read_error, errno});
    }
    if (const auto error = connection_end(client.fd.get()))
        return *error == 0 || *error == EPIPE ? End{LeaveReason::end_of_file, 0}
                                              : End{LeaveReason::read_error, *error};
    if (std::exchange(client.input_ended, true))
        return std::nullopt;
    const int error = filters_.await_reset(client);
    return error == 0 ? std::nullopt : std::optional(End{LeaveReason::read_error, error});
}

std::optional<Reading::End> Reading::note_read(Client& client, const Ingest::Read& read) const {
    rate_limiter_.note_read(client, read.bytes);
    idle_watch_.note_heard(client);
    if (read.cuts > 0 && !std::exchange(client.cut_is_logged, true))
        events::line_cut(client);
    if (!read.more)
        return std::nullopt;
    if (const int error = filters_.tell_again(client))
        return End{LeaveReason::read_error, error};
    return std::nullopt;
}

std::optional<Reading::End> Reading::resume(Client& client, Client::PauseReason reason) const {
    idle_watch_.note_heard(client); // it may have sent bytes that are not read yet
    if (const int error = filters_.resume_reading(client, reason))
        return End{LeaveReason::read_error, error};
    return std::nullopt;
}

} // namespace chatserv
