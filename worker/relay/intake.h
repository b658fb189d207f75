// One recv(2) of a client's bytes into the staging area, and the record of what came: the steps
// within which the death of a worker leaves a client in doubt (W1).
#pragma once

#include "shared/segment/crash_point.h"
#include "shared/segment/in_flight.h"
#include "shared/segment/staging.h"
#include "shared/system/kernel_account.h"
#include "worker/clients/client.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/socket.h>

namespace chatserv {

class Intake {
public:
    // One sender's share of a batch: large enough to read and relay a fast sender in large pieces,
    // small enough to leave room for others in the same batch.
    static constexpr size_t read_bytes_max = 256 * 1024;
    // Less room than this is not worth a system call.
    static constexpr size_t read_bytes_min = 4 * 1024;

    // What came of one recv(2).
    struct Read {
        enum class Kind {
            some,        // bytes were read, and staged unless they were the client's name
            part,        // of a line, which waits in the socket for the rest
            nothing,     // the socket had none
            end_of_file, // and never will
            failed,      // the connection is broken
        };
        Kind kind;
        uint32_t bytes = 0; // some, part: how many
        int error = 0;      // failed: the errno of recv(2)
        // With whole lines alone. some: how many lines were cut, and whether there is more to read
        // that the socket's filter has told of already.
        uint32_t cuts = 0;
        bool more = false;
    };

    Intake(const Segment& segment, EntryId entry) :
        entry_(&segment.worker_table()[index_of(entry)]), staging_(segment, entry) {}

    [[nodiscard]] const Staging& staging() const { return staging_; }

    // The client came to a UNIX socket, and the kernel counts what is read from it if it is told
    // so: it is told before each read.
    [[nodiscard]] static bool counts_reads_of(const Client& client) {
        return client.slot->by_path != 0 && client.slot->accounted != 0;
    }

    // Reads into `place`, and calls record(bytes) with the number of bytes that came: 0 if there is
    // no place for any, and the system is not asked. `read_before`: the bytes that were read from
    // the client so far.
    template <typename Record>
    [[nodiscard]] Read receive(
        const Client& client, std::span<char> place, uint64_t read_before, Record record) const {
        if (counts_reads_of(client))
            count_reads(client.fd.get(), read_before);
        begin_operation(*entry_, Operation::receive, client.id.slot);
        ssize_t got = 0;
        if (!place.empty())
            do {
                got = ::recv(client.fd.get(), place.data(), place.size(), 0);
            } while (got == -1 && errno == EINTR);
        const int error = errno;
        const bool is_read = got > 0 || place.empty();
        crash_point(CrashPoint::received); // W1: the bytes are in the staging area, unrecorded
        if (is_read)
            record(static_cast<uint32_t>(got));
        end_operation(*entry_);
        if (is_read)
            return {.kind = Read::Kind::some, .bytes = static_cast<uint32_t>(got)};
        if (got == 0)
            return {.kind = Read::Kind::end_of_file};
        if (error == EAGAIN || error == EWOULDBLOCK)
            return {.kind = Read::Kind::nothing};
        return {.kind = Read::Kind::failed, .error = error};
    }

    // Makes a chunk of what lies at the place of the next one. `bytes_read`: from the client in
    // all, the chunk included.
    void record(const Client& client, const Staging::LineChunk& chunk, uint64_t bytes_read) const;

    // W1: the total that a predecessor has recorded of this client, which is stored as its total.
    [[nodiscard]] uint64_t recorded(const Client& client) const;

private:
    WorkerEntry* entry_;
    Staging staging_;
};

} // namespace chatserv
