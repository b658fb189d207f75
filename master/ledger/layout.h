// The ledger: what the master knows beyond segment and kernel, where its successor finds it.
//
// Keeper and master map the same bytes, and no worker does: fixed-width words, offsets instead of
// pointers, every size and every offset asserted. The comments name the one writer of each field.
// Where another process may read a field meanwhile, it is accessed through
// shared/segment/atomic_word.h only. All of the ledger is zero at the start, and zero means none.
//
//     header | keeper | standing | upgrade | counters | redo | newcomers | lingering | holdings |
//     entries | seats | metrics | bridge | sources | places | clients
//
// What the ledger says of a descriptor has one order: open it, then note it; close it, then un-note
// it. Nothing is opened between a close and its un-noting, and a successor opens nothing before it
// has read the ledger. So a noted number that is closed was done with, and no other file has it.
#pragma once

#include "master/ledger/newcomer_record.h"
#include "master/ledger/noted_fd.h"
#include "master/ledger/source_record.h"
#include "shared/segment/layout.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace chatserv {

inline constexpr uint64_t ledger_magic = 0x7265676465'6c6863; // "chledger", little-endian
inline constexpr uint32_t ledger_version = 10;                // change it with any struct below

// Written once by the process that makes the ledger; read-only afterwards.
struct LedgerHeader {
    uint64_t magic;
    uint32_t ledger_version;
    uint32_t users;     // client records: slots of the user table
    uint32_t workers;   // entry records: entries of the worker table
    uint32_t processes; // seat records: workers and spares
    uint64_t ledger_bytes;
    uint64_t keeper_offset;
    uint64_t standing_offset;
    uint64_t upgrade_offset;
    uint64_t counters_offset;
    uint64_t redo_offset;
    uint64_t newcomers_offset;
    uint64_t lingering_offset;
    uint64_t holdings_offset;
    uint64_t entries_offset;
    uint64_t seats_offset;
    uint64_t metrics_offset;
    uint64_t bridge_offset;
    uint64_t sources_offset;
    uint64_t places_offset;
    uint64_t clients_offset;
};

// The signals that the keeper passes on have numbers below this one, on every system.
inline constexpr size_t passed_signals_end = 65;

// What keeper and masters say to each other. A word outlives the process that wrote it, so a word
// about a process names that process.
struct KeeperWords {
    // Writer: the keeper.
    alignas(cache_line_bytes) uint32_t keeper; // its pid
    uint32_t generation;               // of the master that was started last; the first one is 1
    uint32_t ended_status;             // wait(2) status of the master below; stored before it
    uint32_t ended_master;             // pid of the last master that died; 0: none has
    uint32_t sent[passed_signals_end]; // how often each signal came
    uint32_t keepers_replaced;         // how often another process became the keeper

    // Writer: the master; between two masters, the keeper.
    alignas(cache_line_bytes) uint32_t master; // its pid
    uint32_t serving;                          // its pid, once it has taken up its work
    uint64_t final;                            // see note_final(); 0: none
    uint32_t taken[passed_signals_end];        // of the signals in `sent`: how many were acted on
    uint32_t stand_in; // see stand_in.h; 0: none. Writers: as that file says

    Heartbeat beat; // of the master
};

inline constexpr uint32_t serving_phase = 1; // in which the server serves; the others: Shutdown

// How far the server as a whole has got. Writer: master.
struct alignas(cache_line_bytes) StandingWords {
    uint32_t phase;           // of Shutdown
    int32_t stop_status;      // the exit status that a stop at once has asked for
    uint64_t stop_begun_ns;   // served time
    uint32_t died_young;      // how many processes in a row died before their first work
    uint32_t keep_own_rights; // 1: workers keep the master's rights
    uint32_t rights_told;     // 1: the log has said what workers give up
    uint32_t options_number;  // of the legacy (Holding::legacy) that holds the options in force
    uint64_t started_at_ms;   // when the server started, in milliseconds since 1970; 0: it has not
    uint32_t reload_begun;    // number of the reload that was asked for last; the first one is 1
    uint32_t reload_ended;    // number of the reload that ended last, well or not
    uint32_t log_word;    // level and format of the log since a reload (log_word.h); 0: no reload
    uint32_t users_limit; // how many users there can be since a reload; 0: as many as slots
    uint32_t workers_wanted; // entries of the worker table in service; 0: all of them
    uint32_t room_given_up;  // 1: no bridge is to run any more; writer of counted: the master
};

// How far an upgrade has got: upgrade_book.h. Each state names who may write next.
enum class UpgradeState : uint32_t {
    none = 0,         // no upgrade is under way; the master
    trying = 1,       // the new program is tried; the master
    handing_over = 2, // the master stands in, or is about to; the keeper
    proving = 3,      // the keeper is of the new program, its first master does not serve yet
    returning = 4,    // the new program has failed, and the keeper becomes the former one again
    replacing = 5,    // the new program serves, and replaces the workers; the master
};
struct alignas(cache_line_bytes) UpgradeWords {
    uint32_t state;    // UpgradeState
    uint32_t number;   // of the upgrade that was begun last; the first one is 1
    uint32_t ended;    // number of the upgrade that ended last
    uint32_t failed;   // 1: that one failed, for the reason below
    uint64_t begun_ns; // steady clock, as the next two
    uint64_t handed_over_ns;
    uint64_t serving_ns;
    uint64_t users_waited_ns; // the longest takeover since then
    uint32_t workers;         // that were replaced
    uint32_t former;          // number of the upgrade whose program began this one
    char from[24];            // versions
    char to[24];              //
    char reason[152];         // why the upgrade fails
};

// How often each thing has happened since the server started: absolute values, and each is one
// store. Writer: master. master/clients/counters.h says which number is whose.
inline constexpr uint32_t counters_max = 64;
// Among them: the bytes that all clients which have gone had sent, and had been sent.
inline constexpr uint32_t departed_in_counter = 4;
inline constexpr uint32_t departed_out_counter = 5;

// A client in its slot. Writer: master.
struct alignas(cache_line_bytes) ClientRecord {
    NotedFd socket{};      // none: the slot is free
    uint32_t generation{}; // of the last client that had the slot; 0: it was never used
    uint32_t entry{};      // index of the EntryId that serves the client
    uint8_t announced{};   // 1: the log has said that the client joined
    uint8_t throttled{};   // 1: the log has said that the client sends too fast
    uint8_t kicked{};      // 1: an operator ends the client; 2: its source is let go
    uint8_t role{};        // Role
    NotedAddress peer{};
    uint64_t since_ms{}; // when the client was admitted, in milliseconds since 1970
    uint8_t source{};    // number of the source that the client is; 0: it came to a listener
    uint8_t unused_1[15]{};
};

// A connection on its last line. Writer: master.
struct LingeringRecord {
    uint64_t order{};        // the lower, the longer it is here
    uint64_t written_base{}; // ByteCounts::written before the line; valid if `accounted`
    NotedFd socket{};        // none: the place is free
    uint8_t told{};          // 1: the line was sent
    uint8_t accounted{};     // 1: the kernel counts this socket's bytes
    uint8_t line_bytes{};
    char line[57]{};
};
// One more than can linger: the place of the connection that is about to be told its line.
inline constexpr uint32_t lingering_places = 65;

// A descriptor of the server as a whole, which every master has.
enum class Holding : uint32_t {
    none = 0,
    segment = 1,
    ledger = 2,
    listener = 3,         // number: its index; the others are of index 0 unless one is named
    doorbell_reading = 4, // number: the index of its entry, as for the next one; the bridge's last
    doorbell_writing = 5,
    worker_program = 6, // number 1: as for own_program
    control_listener = 7,
    log_file_reader = 8,
    standard_error = 9, // as it was before the log file took its place
    own_program = 10,   // number 1: the program before this one, as long as it may be needed
    legacy = 11,        // number: options_number; while a reload is under way another one as well
    metrics_listener = 12, // number: its index
    metrics_program = 13,  // number 1: as for own_program
    source_program = 14,   // number 1: as for own_program
    bridge_program = 15,   // number 1: as for own_program
};
struct HoldingRecord {
    uint32_t kind; // Holding
    uint32_t number;
    NotedFd fd;
    uint8_t role;    // of a listener: the Role of the clients that come to it
    uint8_t proxied; // of a listener: 1: a proxy's header says whose connections they are
    uint8_t unused[2];
};
inline constexpr uint32_t listeners_max = 256;
inline constexpr uint32_t metrics_listeners_max = 16;
inline constexpr uint32_t holdings_max =
    2 * (workers_max + 1) + listeners_max + metrics_listeners_max + 18;

// An entry of the worker table, as the master sees it. Writer: master.
enum class EntryState : uint32_t { vacant = 0, manned = 1, dead = 2 };
struct EntryRecord {
    uint32_t state;   // EntryState
    uint32_t seat;    // index of a SeatId, where the entry is manned or dead
    uint32_t drained; // 1: its clients are to move elsewhere
    // Of the takeovers that came to their end. For people to read: nothing follows from them, so a
    // master that dies between two of these stores leaves no harm.
    uint32_t takeovers;        // how many there were
    uint64_t taken_over_at_ms; // when the last one was over, in milliseconds since 1970
    uint64_t takeover_ns;      // how long it took, in served time
    uint64_t takeovers_ns;     // how long all of them took
};

// A place for a worker process, for the metrics process, for the bridge, or for the process of a
// source. Writer: master, except where a field says otherwise. As long as a seat that is not empty
// names a pid, the keeper does not reap that process, so the number cannot become another
// process's.
enum class SeatState : uint32_t { empty = 0, starting = 1, ready = 2, ended = 3 };
struct alignas(cache_line_bytes) SeatRecord {
    uint32_t state;     // SeatState
    int32_t pid;        // writer: the process itself, before exec(2), in place of -starts
    NotedFd rendezvous; // the master's end. (The channel is not noted: a successor replaces it.)
                        // Of the other processes: the master's end of the lifeline.
    uint32_t proven;    // 1: the process has settled what its predecessor had in flight
    uint32_t upgrade;   // number of the upgrade whose program it is; 0: the server's first
    uint32_t starts; // counts the processes that had this seat, so that one that is late with its
                     // pid finds that the seat is another's
    char cause[104]; // why the master ended the process; empty: it did not
};

// The redo record: one transition of a client's connection, with all that it changes. Once `kind`
// is stored, the transition will happen: the master applies it, or its successor does. All values
// are absolute, so to apply the record twice changes nothing. Writer: master.
// master/clients/transitions.h says what each kind changes.
enum class RedoKind : uint32_t {
    none = 0,
    admit = 1,
    turn_away = 2,
    release = 3,
    dismiss = 4, // a release of which the client reads the reason
    reassign = 5,
    throttle = 6,
};
struct alignas(cache_line_bytes) RedoRecord {
    uint32_t kind{}; // RedoKind; stored last, and cleared when everything is applied
    NotedFd socket{};
    uint32_t slot{};
    uint32_t generation{};
    uint32_t entry{};      // index of an EntryId
    uint32_t slot_state{}; // SlotState
    uint32_t counter{};    // which of the counters
    uint32_t newcomer{};   // place among the newcomers, or place_none
    uint64_t counter_value{};
    uint64_t written_base{};
    uint64_t consumed_base{};
    NotedAddress peer{};
    uint8_t accounted{};        // 1: the two bases are valid
    uint8_t role{};             // Role, of a client that is admitted
    uint8_t source{};           // of a client that is admitted or goes: as in its record
    uint8_t by_path{};          // of a client that is admitted: as in its slot
    uint32_t lingering_place{}; // place among the lingering, or place_none
    LingeringRecord lingering{};
    uint64_t since_ms{};     // of a client that is admitted: as in its record
    uint64_t departed_in{};  // of a client that goes: the sums in the counters, with its bytes
    uint64_t departed_out{}; //
    // Of a client that is a source: what its source's record holds then.
    uint64_t source_connections{}; // where it is admitted
    uint64_t source_received{};    // where it goes, as the next one
    uint64_t source_sent{};
};
inline constexpr uint32_t place_none = ~0U;

static_assert(sizeof(NotedFd) == 4 && std::is_trivially_copyable_v<NotedFd>);
static_assert(sizeof(LedgerHeader) == 152 && std::is_trivially_copyable_v<LedgerHeader>);
static_assert(offsetof(LedgerHeader, magic) == 0 && offsetof(LedgerHeader, ledger_version) == 8);
static_assert(sizeof(KeeperWords) == 704 && std::is_trivially_copyable_v<KeeperWords>);
static_assert(offsetof(KeeperWords, keepers_replaced) == 276 && offsetof(KeeperWords, beat) == 640);
static_assert(offsetof(KeeperWords, sent) == 16 && offsetof(KeeperWords, master) == 320);
static_assert(offsetof(KeeperWords, final) == 328 && offsetof(KeeperWords, taken) == 336);
static_assert(offsetof(StandingWords, started_at_ms) == 32);
static_assert(
    offsetof(StandingWords, users_limit) == 52 && offsetof(StandingWords, workers_wanted) == 56);
static_assert(sizeof(StandingWords) == 64 && std::is_trivially_copyable_v<StandingWords>);
static_assert(sizeof(UpgradeWords) == 256 && offsetof(KeeperWords, stand_in) == 596);
static_assert(sizeof(ClientRecord) == 64 && std::is_trivially_copyable_v<ClientRecord>);
static_assert(offsetof(ClientRecord, peer) == 16 && offsetof(ClientRecord, since_ms) == 40);
static_assert(sizeof(LingeringRecord) == 80 && std::is_trivially_copyable_v<LingeringRecord>);
static_assert(sizeof(HoldingRecord) == 16 && sizeof(EntryRecord) == 40);
static_assert(offsetof(EntryRecord, taken_over_at_ms) == 16);
static_assert(sizeof(SeatRecord) == 128 && std::is_trivially_copyable_v<SeatRecord>);
static_assert(sizeof(RedoRecord) == 256 && std::is_trivially_copyable_v<RedoRecord>);
static_assert(offsetof(RedoRecord, counter_value) == 32 && offsetof(RedoRecord, peer) == 56);
static_assert(offsetof(RedoRecord, lingering) == 88 && offsetof(RedoRecord, since_ms) == 168);
static_assert(offsetof(RedoRecord, source_connections) == 192);

} // namespace chatserv
