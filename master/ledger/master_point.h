// Master points: the instants of MW1 to MW18 at which the tests kill a master, each between two
// stores or system calls of a transition.
//
// In the installed programs a master point compiles to nothing. What it is in the programs that
// only the tests build, those tests define. Each point up to MW7, and of MW17, has a death in
// tests/unit/deaths/master_death_test.cpp, and each one that can be reached has one with real
// processes in tests/crash/master_point_test.cpp or in
// tests/crash/reload_point_test.cpp, those of MW18 in tests/crash/bridge_point_test.cpp.
#pragma once

#include <cstdint>

namespace chatserv {

enum class MasterPoint : uint8_t {
    // MW1
    accepted, // accept(2) has returned, and nothing says so
    // MW2
    newcomer_noted,  // the newcomer has a place, and its descriptor's flags are not set
    newcomer_ready,  // its flags are set and its address is known
    newcomer_closed, // it was dropped unjudged: closed, not un-noted
    // MW3
    redo_torn,    // half of the redo record is written
    redo_written, // the redo record is written, and not valid
    // Of each transition
    redo_committed, // the redo record is valid, and nothing of it is done
    counted,        // the counter is stored
    redo_applied,   // all of it is done, and the record is still valid
    redo_retired,   // the record is no longer valid, and nobody was told: MW5 for a newcomer
    // MW4
    slot_described,     // the slot of the segment has address and baseline
    slot_assigned,      // the slot is assigned
    client_noted,       // the client's record is written
    newcomer_forgotten, // the newcomer is un-noted
    // MW6
    lingering_noted,  // the connection has a place among the lingering
    line_sent,        // the last line is sent, and not noted as sent
    line_noted,       // it is noted, and the connection is not shut down
    line_finished,    // the end of file is sent, and the connection is not watched
    lingering_closed, // the connection is closed, and not un-noted
    // MW7
    slot_freed,        // the slot is free, the connection is whole
    connection_shut,   // the connection is shut down in both directions
    connection_closed, // its descriptor is closed, and still noted
    client_forgotten,  // the client is un-noted
    // A client that moves between entries, or that sends too fast
    slot_given,    // the slot names the next entry, the client's record the former one
    client_marked, // the client's record is changed
    // MW8
    rendezvous_noted, // the rendezvous is noted in a seat that is empty
    seat_noted,       // the seat of a worker is noted, and the worker is not forked
    worker_forked,    // it is forked, and this process does not know it yet
    // MW9
    exit_noted,      // the worker's entry is dead, the worker is not reaped
    exit_reaped,     // it is reaped, and nothing is recovered
    entry_recovered, // its clients are recovered, its seat is not empty
    // MW10
    entry_given, // the entry is noted as manned, and its worker is not told
    // MW11
    channel_made,    // a new channel is open, and the worker does not have it
    channel_offered, // the worker has it or will have it
    // MW12
    stop_taken,       // the signal is noted as taken, and the server does not stop yet
    listeners_closed, // the listen sockets are closed, and still noted
    stop_told,        // the workers are to read no more
    dismissed,        // the workers are dismissed
    // MW14
    sweep_begun, // what the dead master left is found, and not closed
    swept,       // it is closed
    // MW17
    header_noted, // a proxy's header is known, and nothing of it is read
    header_read,  // it is read, and not noted as read
    header_taken, // it is noted, and the client is not judged
    // MW15
    reload_asked,     // the reload is noted as asked for, and nothing is read
    reload_noted,     // the new options and listen sockets are noted, the former ones in force
    reload_committed, // the new options are in force, and nobody is told
    reload_published, // the segment has the new settings, the workers are not told
    listener_closed,  // a listen socket that is not wanted is closed, and still noted
    sources_named,    // the ledger has the names of the sources in force, and no client is ended
    reload_applied,   // all of it is done, and the former options are still noted
    reload_ended,     // the reload is noted as ended, and nobody was told
    source_let_go,    // the client of a source is marked to be let go, and its worker is not told
    source_ended,     // its client has left, its process is to end
    source_gone,      // both are gone: its number can be another source's
    // MW16
    end_noted,     // it is noted why a worker is to end, and the worker lives
    entry_retired, // an entry without a process is noted as one that gets none
    // MW18
    companion_exit_noted, // its seat is noted as ended, the process is not reaped
    companion_reaped,     // it is reaped, and nothing is repaired
    companion_recovered,  // what a bridge leaves is repaired, its seat is not empty

    count, // not a point: the number of points
};

#ifdef CHATSERV_MASTER_POINTS
void master_point(MasterPoint point);
#else
inline void master_point(MasterPoint /*point*/) {}
#endif

} // namespace chatserv
