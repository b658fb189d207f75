// Crash points: named instants in the crash windows W1 to W11 of ARCHITECTURE.md, at which a test
// can kill a worker.
//
// In the installed programs a crash point compiles to nothing. The tests build their programs with
// CHATSERV_CRASH_POINTS; those end by SIGKILL at the point that a test has selected
// (tests/crash/crash_point.cpp). Each point has a test: see tests/crash/crash_point_test.cpp.
#pragma once

#include <cstdint>

namespace chatserv {

enum class CrashPoint : uint8_t {
    // W1: ingest
    received, // recv(2) has put bytes into the staging area, and no record says so
    recorded, // the chunk is recorded, its sender's total is unchanged
    // W1, with whole lines alone
    looked,       // recv(2) has shown bytes, and taken none
    name_stored,  // a client's name is stored, its line is still unread
    part_written, // what follows a UNIX client's last line is copied, and no record says so
    // W2: fan-out
    written,      // send(2) has taken bytes, the cursor has not moved
    cursor_torn,  // half of the cursor's other copy is written
    cursor_moved, // the cursor has moved, the operation still counts as in flight
    // W2, for a notice, which is not part of the log
    notice_begun, // nothing is sent
    notice_sent,  // send(2) has taken the notice, the segment does not show it
    notice_noted, // the client is marked as told, its cursor does not count the notice
    // W3: append, under the log's lock
    room_made,     // the lock is held, nothing is written
    bytes_copied,  // the bytes lie beyond the head
    index_written, // and so do their index entries
    intended,      // the intent is written too: the last instant before the commit
    committed,     // the head has moved, the other words have not
    batch_noted,   // the head has moved, and the batch is noted as published
    appended,      // the append is complete, the staging area still holds the batch
    half_cleared,  // the staging area is empty, its batch number is still the published one
    // W4: attaching
    clients_received, // the worker has the descriptors, no slot is attached
    some_attached,    // one slot is attached, the others are not; under the log's lock
    all_attached,     // all slots are attached, no client is read, the master is not told
    // W5: the doorbell
    not_rung, // the log has grown, no worker has been woken
    // W6: closing
    end_seen,        // the end of file is read, the slot is still attached
    closing,         // the slot is closing, nothing of the rest of the log is sent
    departure_noted, // why the client is disconnected is noted; it is still attached or closing
    left_untold,     // the client's descriptor is closed, the master is not told
    // W7: a client moves between workers
    letting_go,   // its filters are removed, its slot is still attached
    let_go,       // it is handed over or still closing, the master is not told
    untold_moves, // everything is let go and its descriptors are closed, the master is not told
    adopting,     // the next worker has stored when it was heard, its slot is still handed over
    // W8: a newcomer is sent the last of the log first; under the log's lock
    replay_index_kept, // the log's index begins where the replay does, its tail does not
    replay_kept,       // the tail does too, no cursor is there
    // W9: a client that resumes
    answer_noted, // how it is answered is noted, its cursor is at no offset
    answer_due,   // its cursor is placed, nothing of the answer is sent
    answer_sent,  // send(2) has taken some of the answer, the cursor does not count it
    answer_told,  // the cursor counts it all, the answer is still noted as due
    // W10: the bridge's state of a room; under the log's lock, if bytes come with it
    state_torn,     // half of the copy that is not in force is written
    state_unsealed, // all of it is, without its sequence
    state_written,  // with its sequence; where bytes come with it, the head has not moved
    // W11: the last line of a room that is over
    last_line_noted, // in which form it is sent is noted, nothing of it is sent
    last_line_sent,  // send(2) has taken some of the line, the cursor does not count it
    // a new channel
    channel_taken, // the old channel is closed, nothing is said on the new one
    introduced,    // everything is said on the new one, nothing of what the master answers is read
    // a reload
    settings_taken, // the settings are read, and no client's limits are changed
    // within the recovery
    entry_taken,   // a successor has the entry, but none of its clients
    doubt_asked,   // the kernel's account is read, nothing is settled
    doubt_settled, // the staging area or the cursor is mended, the operation still in flight

    count, // not a point: the number of points
};

#ifdef CHATSERV_CRASH_POINTS
void crash_point(CrashPoint point);
#else
inline void crash_point(CrashPoint /*point*/) {}
#endif

} // namespace chatserv
