#include "worker/lifecycle/reading.h"

#include <cerrno>

namespace chatserv {

std::optional<Reading::End> Reading::read(Client& client) const {
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
    const Ingest::Read read = publisher_.ingest().read(client, bytes_max);
    switch (read.kind) {
    case Ingest::Read::Kind::some:
        rate_limiter_.note_read(client, read.bytes);
        idle_watch_.note_heard(client);
        return std::nullopt;
    case Ingest::Read::Kind::nothing:
        return std::nullopt;
    case Ingest::Read::Kind::end_of_file: // of a mute client: see Delivery::deliver
        if (client.mute && client.leave_error != EPIPE)
            return End{LeaveReason::write_error, client.leave_error};
        return End{LeaveReason::end_of_file, 0};
    case Ingest::Read::Kind::failed:
        break;
    }
    return End{LeaveReason::read_error, read.error};
}

std::optional<Reading::End> Reading::resume(Client& client, Client::PauseReason reason) const {
    idle_watch_.note_heard(client); // it may have sent bytes that are not read yet
    if (const int error = filters_.resume_reading(client, reason))
        return End{LeaveReason::read_error, error};
    return std::nullopt;
}

} // namespace chatserv
