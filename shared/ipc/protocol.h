// The messages between master and worker (channel.h).
//
// A worker says hello first. On a channel that replaces another (rendezvous.h) it then says all
// that the master may not have heard, or not have noted: every client that it serves (attached),
// those that were throttled, the clients that it has closed or handed over and whose slots still
// wait for the master, and that it has settled or stopped reading; and last `introduced`. It has
// forgotten what it was asked to hand over. The master then sends the entry, if the worker does not
// have it, the log file, the settings, the standing orders, and the clients that the worker has not
// named. Everything may be said twice: what is known already changes nothing.
//
//     worker -> master                          master -> worker
//     hello            the first message        take_entry     serve this entry from now on
//     cannot_work      instead of hello         clients        serve these clients
//     attached         clients are served       stop_reading   read from no client any more
//     not_received     clients to send again    finish         close all clients at the log's head
//     closed           clients are done with    log_file       log to this descriptor
//     throttled        clients send too fast        hand_over      let go of these clients
//     handed_over      clients are let go
//     settled          see Settled              kick           end these clients
//     stopped_reading  all bytes read are in    settings       the settings have changed
//                      the log
//     log_file_lost    log_file is to be sent again
//     introduced       all was said             end_room       finish, and tell the clients that
//                      that a new channel                      the room is over
//                      calls for
#pragma once

#include "shared/segment/user_table.h"

#include <cstdint>
#include <string_view>

namespace chatserv {

enum class MessageType : uint16_t {
    hello = 1,
    take_entry = 2,
    clients = 3,         // a ClientId and a descriptor for each
    attached = 4,        // a ClientId for each
    not_received = 5,    // a ClientId for each
    closed = 6,          // a ClosedClient for each
    stop_reading = 7,    // no payload
    stopped_reading = 8, // no payload
    finish = 9,          // no payload
    settled = 10,        // Settled
    throttled = 11,      // a ClientId for each; once from each process that serves the client
    log_file = 12,       // no payload; one descriptor, which replaces the old one
    log_file_lost = 13,  // no payload; the process had no descriptor left for log_file
    cannot_work = 14,    // CannotWork; the process ends next
    hand_over = 15,      // a ClientId for each; each is handed over or closed in the end
    handed_over = 16,    // a ClientId for each; their descriptors are closed
    introduced = 17,     // no payload; once on a channel that replaces another
    kick = 18,           // a ClientId for each; those that the worker does not serve are ignored
    settings = 19,       // no payload; those in the segment have changed (relay_settings.h)
    end_room = 20,       // no payload; in place of finish (last_line.h)
};

// The system's means that confines a worker to its clients (shared/confinement/confinement.h).
enum class Confinement : uint32_t {
    not_built = 1,     // none: the system has no such means, or this build leaves it out
    not_in_kernel = 2, // none: this kernel was built without it
    seccomp = 3,       // Linux
    capsicum = 4,      // FreeBSD
    pledge = 5,        // OpenBSD
    refused = 6,       // none: the server's own confinement (a container's) refuses it
};

// In place of an entry of the worker table, where there is none.
inline constexpr EntryId no_entry{~0U};

struct Hello {
    uint32_t layout_version;
    Confinement confinement;  // already in force
    EntryId entry = no_entry; // that the worker serves; none: it is a spare
};

// The step of its start at which a worker failed.
enum class Hindrance : uint32_t {
    program = 1,     // execve(2) of chatserv-worker
    descriptors = 2, // closing inherited descriptors
    user = 3,        // becoming --user
    segment = 4,     // mapping the segment, and opening what it needs to serve
    confinement = 5, // giving up the rights that a worker does not need
};

// Why a worker ends before it can say hello. The master trusts the text as it trusts any error
// text: no client has reached the process yet.
struct CannotWork {
    Hindrance hindrance;
    int32_t error;       // errno; 0: the text says everything
    char text[240] = {}; // the operation that failed, with a terminating zero
};

[[nodiscard]] inline CannotWork cannot_work(Hindrance hindrance, int error, std::string_view text) {
    CannotWork words{.hindrance = hindrance, .error = error};
    text.copy(words.text, sizeof words.text - 1);
    return words;
}

struct TakeEntry {
    EntryId entry;
};

// Sent once by each process that has taken an entry: the operation that its predecessor may have
// had in flight is settled.
struct Settled {
    uint64_t bytes; // counted by the kernel's account, but not by the segment
};

// Why a worker no longer serves a client.
enum class LeaveReason : uint32_t {
    end_of_file = 1,
    read_error = 2,     // with its errno
    write_error = 3,    // with its errno
    stalled = 4,        // it blocked the room in the log, or its own end, and drained too little
    server_stopped = 5, // the server is stopping
    in_doubt = 6,       // its worker died while reading or writing, and no account counts the bytes
    fell_behind = 7,    // it was a whole log behind, under SlowPolicy::disconnect
    idle = 8,           // it sent nothing for the idle timeout
    // Found by the master itself; no worker sends these.
    overwritten = 9, // its slot holds what no worker writes
    no_worker = 10,  // no worker could be started for it, and it kept the log full
    // A worker's again.
    kicked = 11,      // an operator ended it
    bad_request = 12, // it was to say from where it resumes, and its first line does not
    // The master's: the worker says `kicked`.
    source_removed = 13, // a reload has let its source go
    // A worker's.
    room_over = 14,   // the room of several hosts is over on this one; it has been sent everything
    room_unread = 15, // ... and it did not take all of that in time
};

// Whether a worker of this version can give this reason.
[[nodiscard]] constexpr bool is_told_by_workers(LeaveReason reason) {
    switch (reason) {
    case LeaveReason::end_of_file:
    case LeaveReason::read_error:
    case LeaveReason::write_error:
    case LeaveReason::stalled:
    case LeaveReason::server_stopped:
    case LeaveReason::in_doubt:
    case LeaveReason::fell_behind:
    case LeaveReason::idle:
    case LeaveReason::kicked:
    case LeaveReason::bad_request:
    case LeaveReason::room_over:
    case LeaveReason::room_unread:
        return true;
    case LeaveReason::overwritten:
    case LeaveReason::no_worker:
    case LeaveReason::source_removed:
        break;
    }
    return false;
}

struct ClosedClient {
    ClientId client;
    LeaveReason reason;
    int32_t error; // errno, or 0 if the reason has none
};

} // namespace chatserv
