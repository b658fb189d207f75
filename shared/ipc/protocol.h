// What master and worker say to each other over their channel (channel.h).
//
//     worker -> master                      master -> worker
//     hello           its first message     take_entry      serve as this entry from now on
//     attached        these are served      clients         serve these; with their descriptors
//     not_received    send these again      stop_reading    read no client any more
//     closed          these are done with   finish          close all clients at the log's head
//     settled         see Settled
//     stopped_reading the log has all it read
//     throttled       these send too fast    log_file        log to this descriptor
//     log_file_lost   send that again
//     cannot_work     instead of hello
#pragma once

#include "shared/segment/user_table.h"

#include <cstdint>
#include <string_view>

namespace chatserv {

enum class MessageType : uint16_t {
    hello = 1,
    take_entry = 2,
    clients = 3,         // ClientId each, and a descriptor each
    attached = 4,        // ClientId each
    not_received = 5,    // ClientId each
    closed = 6,          // ClosedClient each
    stop_reading = 7,    // no payload
    stopped_reading = 8, // no payload
    finish = 9,          // no payload
    settled = 10,        // Settled
    throttled = 11,      // ClientId each; once from each process that serves the client
    log_file = 12,       // no payload; one descriptor, for which the old one is to be closed
    log_file_lost = 13,  // no payload; log_file came when there was no descriptor left for it
    cannot_work = 14,    // CannotWork; the process ends next
};

// What keeps a worker to its clients (worker/confinement/confinement.h).
enum class Confinement : uint32_t {
    not_built = 1,     // nothing: the system has no such thing, or this build does without
    not_in_kernel = 2, // nothing: this kernel was built without
    seccomp = 3,       // Linux
    capsicum = 4,      // FreeBSD
    pledge = 5,        // OpenBSD
    refused = 6,       // nothing: whatever confines the server itself refuses it (a container)
};

struct Hello {
    uint32_t layout_version;
    Confinement confinement; // in force since before this was said
};

// At which step of its start a worker failed.
enum class Hindrance : uint32_t {
    program = 1,     // execve(2) of chatserv-worker
    descriptors = 2, // giving up those that it inherited
    user = 3,        // becoming --user
    segment = 4,     // mapping the segment, and opening what it needs to serve
    confinement = 5, // giving up what a worker does not need
};

// Why a worker ends before it can say hello. What it says is believed as far as any error text is:
// no client has reached the process yet.
struct CannotWork {
    Hindrance hindrance;
    int32_t error;       // errno; 0: the text says everything
    char text[240] = {}; // what failed, with its terminating zero
};

[[nodiscard]] inline CannotWork cannot_work(Hindrance hindrance, int error, std::string_view text) {
    CannotWork words{.hindrance = hindrance, .error = error};
    text.copy(words.text, sizeof words.text - 1);
    return words;
}

struct TakeEntry {
    EntryId entry;
};

// Once from each process that has taken an entry: what a predecessor may have had in flight when it
// died is settled.
struct Settled {
    uint64_t bytes; // that the kernel's account knew of and the segment did not
};

// Why a client is done with.
enum class LeaveReason : uint32_t {
    end_of_file = 1,
    read_error = 2,     // with its errno
    write_error = 3,    // with its errno
    stalled = 4,        // it blocked the room in the log, or its own farewell, and hardly drained
    server_stopped = 5, // the server is stopping
    in_doubt = 6,       // its worker died while reading or writing, and no account says how much
    fell_behind = 7,    // it was a whole log behind, and nobody is to wait for such (SlowPolicy)
    idle = 8,           // it sent nothing for the idle timeout
};

// Whether this version has such a reason.
[[nodiscard]] constexpr bool is_known(LeaveReason reason) {
    return reason >= LeaveReason::end_of_file && reason <= LeaveReason::idle;
}

struct ClosedClient {
    ClientId client;
    LeaveReason reason;
    int32_t error; // errno, where the reason has one
};

} // namespace chatserv
