// Crash points: the instants of ARCHITECTURE's crash windows (W1 to W6), by name, so that a test
// can kill a worker at exactly each of them.
//
// In the programs that are built for use a crash point is nothing at all. Those that the tests
// build with CHATSERV_CRASH_POINTS end there by SIGKILL where the test has asked for it
// (tests/crash/crash_point.cpp). Each point has a test: see tests/crash/crash_point_test.cpp.
#pragma once

#include <cstdint>

namespace chatserv {

enum class CrashPoint : uint8_t {
    // W1: ingest
    received, // recv(2) has put bytes into the staging area, and no record says so
    recorded, // the chunk is recorded, its sender's total is not
    // W2: fan-out
    written,      // send(2) has taken bytes, and the cursor is where it was
    cursor_torn,  // half of the cursor's other copy is written
    cursor_moved, // the cursor has moved, the operation still counts as in flight
    // ... of a line that is not of the log
    notice_begun, // nothing is sent
    notice_sent,  // send(2) has taken it, and nothing says so
    notice_noted, // the client counts as told, its cursor does not count the bytes
    // W3: append, under the log's lock
    room_made,     // nothing has happened but that the lock is held
    bytes_copied,  // the bytes lie beyond the head
    index_written, // ... and their index entries
    intended,      // ... and the intent: the last instant before the commit
    committed,     // the head has moved, nothing else has
    batch_noted,   // ... and the batch is noted as published
    appended,      // all is done, the lock is free, the staging area is as before
    half_cleared,  // the staging area is empty, its batch still the one published
    // W4: attaching
    clients_received, // the descriptors are here, no slot is attached
    some_attached,    // one slot is attached, others not; under the log's lock
    all_attached,     // all slots are, nobody is read or told to the master
    // W5: the doorbell
    not_rung, // the log has grown, and nobody has been told
    // W6: closing
    end_seen,    // the end of file is read, the slot is attached
    closing,     // the slot is closing, nothing of the farewell is sent
    left_untold, // the client has everything and is let go of; the master does not know
    // Within the recovery
    entry_taken,   // a successor has the entry and none of its clients
    doubt_asked,   // the kernel has told, nothing is settled
    doubt_settled, // the staging area or the cursor is mended, the operation still in flight

    count, // of the points
};

#ifdef CHATSERV_CRASH_POINTS
void crash_point(CrashPoint point);
#else
inline void crash_point(CrashPoint /*point*/) {}
#endif

} // namespace chatserv
