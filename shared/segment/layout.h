// The shared-memory segment: what lies where, and which process may write it.
//
// Both executables map the same bytes, so this file is their contract: fixed-width integers,
// offsets instead of pointers, every size and every shared offset asserted. The comments name the
// one writer of each field. A field that one process may write while another reads it is accessed
// through shared/segment/atomic_word.h only.
//
//     header | settings | worker table | heartbeats | user table | log control | outbound log
//     control | room | index ring | byte ring | outbound index | outbound ring | parts of lines |
//     staging areas
#pragma once

#include "shared/segment/framing_settings.h"
#include "shared/segment/role.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace chatserv {

inline constexpr uint64_t segment_magic = 0x76726573'74616863; // "chatserv", little-endian
inline constexpr uint32_t layout_version = 14;                 // change it with any struct below

inline constexpr uint32_t users_max = 100'000;
inline constexpr uint32_t workers_max = 64;
inline constexpr uint32_t spares_max = 16;
inline constexpr uint64_t log_bytes_min = 64 * 1024;
inline constexpr uint64_t log_bytes_max = 64ULL * 1024 * 1024 * 1024;
inline constexpr uint32_t batch_chunks_max = 512; // chunks that one append can publish
inline constexpr uint32_t max_rate_bytes_max = 1024 * 1024 * 1024;
inline constexpr uint64_t replay_lines_max = 1'000'000;
inline constexpr uint32_t idle_timeout_ms_max = 7 * 24 * 3600 * 1000;
inline constexpr size_t cache_line_bytes = 64;

// Places in the segment's tables: an entry of the worker table, a seat among the heartbeats, a slot
// of the user table. A place read from the segment or a channel can lie outside its table.
enum class EntryId : uint32_t {};
enum class SeatId : uint32_t {};
enum class SlotId : uint32_t {};

[[nodiscard]] constexpr uint32_t index_of(EntryId entry) {
    return static_cast<uint32_t>(entry);
}
[[nodiscard]] constexpr uint32_t index_of(SeatId seat) {
    return static_cast<uint32_t>(seat);
}
[[nodiscard]] constexpr uint32_t index_of(SlotId slot) {
    return static_cast<uint32_t>(slot);
}

// The number that people read: "worker 3".
[[nodiscard]] constexpr uint32_t number_of(EntryId entry) {
    return index_of(entry) + 1;
}

// Written once by the master before the first worker starts; read-only afterwards.
struct SegmentHeader {
    uint64_t magic;
    uint32_t layout_version;
    uint32_t users;     // slots of the user table
    uint32_t workers;   // entries of the worker table
    uint32_t processes; // heartbeats: workers and spares
    uint64_t segment_bytes;
    uint64_t log_bytes;        // capacity of the byte ring
    uint64_t index_entries;    // capacity of the index ring
    uint64_t staging_bytes;    // payload capacity of one staging area
    uint64_t outbound_bytes;   // capacity of the outbound log's byte ring; 0: no room was joined
    uint64_t outbound_entries; // ... of its index ring
    FramingSettings framing;
    uint64_t settings_offset;
    uint64_t worker_table_offset;
    uint64_t heartbeats_offset;
    uint64_t user_control_offset;
    uint64_t user_table_offset;
    uint64_t names_offset;
    uint64_t log_control_offset;
    uint64_t outbound_control_offset; // of these, see room_records.h
    uint64_t room_offset;
    uint64_t index_offset;
    uint64_t ring_offset;
    uint64_t outbound_index_offset;
    uint64_t outbound_ring_offset;
    uint64_t parts_offset;
    uint64_t staging_offset;
};

// The system call that a worker has begun and not yet recorded. There is one at most, so the death
// of a worker leaves at most one client in doubt. It is packed into one word, which is always
// whole.
enum class Operation : uint8_t {
    none = 0,
    receive = 1,
    deliver = 2,   // bytes of the log
    notify = 3,    // a notice to this client, which is not part of the log
    answer = 4,    // the line with which a client that resumes is answered
    last_line = 5, // the line that tells a client that the room is over (last_line.h)
};

// The state of a process's served clock: see served_clock.h.
struct ServedRecord {
    uint64_t looked_ns;      // steady clock: when the process read it last, or 0
    uint64_t asleep_ns;      // how long at most the process sleeps after that reading
    uint64_t stood_still_ns; // the sum of all standstills, which do not count
};

// One for each worker at work. The entry outlives the process: the successor of a dead worker takes
// over its entry, with the clients, the staging area and the doorbell.
struct alignas(cache_line_bytes) WorkerEntry {
    // line 0; writer: master
    int32_t pid;         // 0: no process has this entry
    uint32_t generation; // counts the processes that have had this entry
    uint8_t unused_0[56];

    // line 1; writer: the worker
    uint64_t in_flight;     // Operation << 56 | slot; see in_flight.h
    uint64_t batch;         // number of the batch being gathered in the staging area; from 1
    uint32_t staged_chunks; // chunk records of that batch; the store that makes a chunk exist
    uint32_t unused_1;
    ServedRecord served; // the successor continues this clock
    uint8_t unused_2[16];

    // line 2; set by the worker, cleared by the process that rings its doorbell: see doorbell.h
    uint32_t asleep;
    uint8_t unused_3[60];

    // line 3; writer: the holder of the log's lock, or the master repairing after its death
    uint64_t published_batch; // the last batch of this entry that the log holds
    uint8_t unused_4[56];
};

// One for each worker process, spares included, which shows by it that it is alive (heartbeat.h),
// and how busy it is.
struct alignas(cache_line_bytes) Heartbeat {
    // writer: the process, or the master before it starts
    uint64_t beat_ns;
    uint64_t awake_ns; // how long the process has been awake in all: work_meter.h
    uint64_t naps;     // how often it has slept
    uint8_t unused[40];
};

// The states of a slot. user_table.h names the transitions and the one permitted caller of each.
enum class SlotState : uint8_t {
    free = 0,        // no client
    assigned = 1,    // the master has assigned the client to a worker, which has not attached it
    attached = 2,    // a worker serves the client
    orphaned = 3,    // the client was attached, and its worker has died
    closing = 4,     // the client gets the log up to close_at, and no more
    handed_over = 5, // its worker has let it go; the next worker serves it from its cursor on
};

// What a client is sent that is not part of the log, and of which its cursor counts the bytes.
enum class Answer : uint8_t {
    none = 0,
    // before the log, to a client that resumes (worker/relay/resume_line.h)
    from = 1,
    gone = 2,
    // behind the log, to any client of a room that is over (last_line.h)
    last_line = 3,
    last_line_apart = 4, // the line begins with an end of line
};

struct Cursor {
    uint64_t bytes_written; // to this client's socket since it was attached, notices included
    uint64_t log_offset;    // everything below it was delivered, or sent by the client itself;
                            // it goes on beyond the log while a last line is sent (last_line.h)
};

// In front of the user table.
struct alignas(cache_line_bytes) UserTableControl {
    uint32_t slots_in_use; // writer: master; no slot from here on was ever assigned
    uint8_t unused[60];
};

struct alignas(cache_line_bytes) UserSlot {
    // line 0
    uint64_t status;       // generation << 32 | owner << 8 | SlotState; writers: see user_table.h
    Cursor cursor[2];      // writer: the owner; cursor[cursor_index] is the valid copy
    uint64_t cursor_index; // writer: the owner; the store that moves the cursor
    uint64_t bytes_read;   // writer: the owner; from this client's socket, staged or published
    uint64_t close_at;     // writer: the owner, before the state becomes closing

    // line 1; writer: master, before the state becomes assigned
    uint8_t address[16]; // IPv6, or IPv4 in the first four bytes; network order
    uint16_t port;       // host order
    uint8_t ip_version;  // 4 or 6; 0: the client has no such address
    uint8_t accounted;   // 1: the kernel counts this socket's bytes, of a UNIX socket those read
    uint8_t role;        // Role
    uint8_t source;      // number of the source that the client is; 0: it came to a listener
    uint8_t by_path;     // 1: the client came to a UNIX socket
    uint8_t answer; // Answer: what the client is yet to be sent before the log, or is being sent
                    // behind it; writer: the owner
    uint64_t written_base;  // ByteCounts::written at accept(2) (kernel_account.h); UNIX: unused
    uint64_t consumed_base; // ByteCounts::consumed
    // ... line 1, continued; writer: the owner
    uint64_t heard_ns;      // when the client last sent something, in the owner's served time; or 0
    uint32_t told_too_fast; // 1: the client has been told that it sends too fast
    uint32_t departure;     // why the client leaves (departure_note.h); set before it begins to
    uint64_t quiet_ns;      // how long the client had sent nothing when its worker let it go; set
                            // before the state becomes handed_over, and valid in that state alone
};

// The log's shared words. `head` counts all bytes ever published. Storing it is the commit: the one
// instant at which a batch becomes visible to every worker.
struct alignas(cache_line_bytes) LogControl {
    // line 0; writer: a worker that takes or holds the lock, or the master after its death
    uint64_t lock; // 0: free, otherwise the owner's entry + 1
    uint8_t unused_0[56];

    // line 1; writer: the lock holder
    uint64_t head; // bytes published since the segment was made
    uint8_t unused_1[56];

    // line 2; writer: the lock holder
    uint64_t tail;       // no cursor is below it: a lower bound, brought up to date when needed;
                         // only a replay lowers it (log_replay.h)
    uint64_t index_next; // index entries published since the segment was made
    uint64_t index_tail; // entries below it end at or before `tail`
    // The effects of the append under way, valid once `head` equals intent_head: see log_append.h.
    uint64_t intent_head;
    uint64_t intent_index_next;
    uint64_t intent_batch;
    uint32_t intent_entry; // index of an EntryId
    uint8_t unused_2[12];

    // line 3; writer: the lock holder
    uint64_t room_wanted; // an appender waits until no cursor is below this offset
    uint8_t unused_3[48];
    uint64_t life; // random: names this log among all that there ever are; writer: master, once
};

// One for each published chunk: it names the sender of the bytes that end at `end`.
struct IndexEntry {
    uint64_t end; // log offset
    SlotId slot;
    uint32_t generation;
    uint64_t sender_bytes; // the sender's bytes_read up to the end of this chunk
};

// One for each chunk in a staging area, in the order of the chunks' bytes.
struct ChunkRecord {
    uint64_t sender_bytes; // the sender's bytes_read up to the end of this chunk
    SlotId slot;
    uint32_t generation;
    uint32_t end;          // offset in the staging area's payload
    uint32_t log_end;      // offset in what the batch becomes in the log
    uint32_t prefix_bytes; // with which the chunk begins: the client has not sent them
    uint32_t unused;
};

// A staging area is batch_chunks_max chunk records, then staging_bytes of payload.
// Writer: the worker whose entry it belongs to.

static_assert(sizeof(SegmentHeader) == 208 && std::is_trivially_copyable_v<SegmentHeader>);
static_assert(offsetof(SegmentHeader, magic) == 0 && offsetof(SegmentHeader, layout_version) == 8);
static_assert(sizeof(WorkerEntry) == 256 && std::is_trivially_copyable_v<WorkerEntry>);
static_assert(offsetof(WorkerEntry, in_flight) == 64 && offsetof(WorkerEntry, batch) == 72);
static_assert(offsetof(WorkerEntry, staged_chunks) == 80 && offsetof(WorkerEntry, served) == 88);
static_assert(offsetof(WorkerEntry, asleep) == 128);
static_assert(offsetof(WorkerEntry, published_batch) == 192);
static_assert(sizeof(Heartbeat) == 64 && std::is_trivially_copyable_v<Heartbeat>);
static_assert(sizeof(UserTableControl) == 64);
static_assert(sizeof(UserSlot) == 128 && std::is_trivially_copyable_v<UserSlot>);
static_assert(offsetof(UserSlot, cursor) == 8 && offsetof(UserSlot, cursor_index) == 40);
static_assert(offsetof(UserSlot, bytes_read) == 48 && offsetof(UserSlot, close_at) == 56);
static_assert(offsetof(UserSlot, address) == 64 && offsetof(UserSlot, written_base) == 88);
static_assert(offsetof(UserSlot, source) == 85 && offsetof(UserSlot, answer) == 87);
static_assert(offsetof(UserSlot, heard_ns) == 104 && offsetof(UserSlot, told_too_fast) == 112);
static_assert(offsetof(UserSlot, quiet_ns) == 120);
static_assert(sizeof(LogControl) == 256 && std::is_trivially_copyable_v<LogControl>);
static_assert(offsetof(LogControl, head) == 64 && offsetof(LogControl, tail) == 128);
static_assert(offsetof(LogControl, intent_head) == 152);
static_assert(offsetof(LogControl, room_wanted) == 192 && offsetof(LogControl, life) == 248);
static_assert(sizeof(IndexEntry) == 24 && std::is_trivially_copyable_v<IndexEntry>);
static_assert(sizeof(ChunkRecord) == 32 && std::is_trivially_copyable_v<ChunkRecord>);

} // namespace chatserv
