// The part of a system that the processes of the model need: doorbell pipes, connections whose
// bytes are accounted for, the descriptor table that all masters share, the channels between master
// and workers, and who is dead. What it knows is plain data, part of the model's state.
//
// The product's own system calls are led here when the test is linked (system_calls.cpp); what the
// model's own processes ask for is in worker_calls.h and master_calls.h. A call takes place in one
// step and, as the locks in a kernel do, empties the store buffer of whoever makes it.
#pragma once

#include "tests/model/memory.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace chatserv::model {

// Of the worker table: two whose clients send, one whose client listens.
inline constexpr uint32_t entries = 3;
inline constexpr uint32_t entry_a = 0;
inline constexpr uint32_t entry_b = 1;
inline constexpr uint32_t entry_r = 2;
// In a joined room (joined/world.h), which has no entry R: the bridge's.
inline constexpr uint32_t entry_bridge = 2;
// In place of an entry: the master.
inline constexpr uint32_t entry_master = entries;
// A connection is numbered by the entry that its client has in the beginning, or would have.
inline constexpr uint32_t connections = entries;
inline constexpr uint32_t no_client = ~0U;
inline constexpr uint32_t places = 4; // of the masters' descriptor table, for connections
inline constexpr size_t message_bytes = 5;
inline constexpr size_t received_max = 32;
inline constexpr size_t words_max = 6;

// What a worker says to the master.
struct Word {
    enum class Kind : uint8_t {
        hello,      // with its entry + 1; 0: it has none
        serves,     // on a new channel: it serves this client
        closed,     // it has closed this client
        let_go,     // it has let this client go
        introduced, // on a new channel: it has said everything
    };
    Kind kind;
    uint8_t entry;
    uint8_t slot;
    uint8_t generation;
};

// A client on its way to a worker, with its descriptor.
struct Parcel {
    uint8_t slot;
    uint8_t generation; // 0: there is none
    uint8_t connection;
};

// A worker process's channel and its rendezvous.
struct ChannelState {
    std::array<Word, words_max> words; // said, and not read
    uint8_t word_count;
    uint8_t connected; // the master that is at work reads it
    uint8_t offered;   // a new channel waits in the rendezvous, of ...
    uint8_t entry;     // the entry + 1 that the process is to take, and has not read; 0: none
    uint8_t asked;     // the process is to let its client go, and has not read that
    Parcel coming;     // not read

    // Everything that is on its way to the worker is lost.
    void lose_orders();
};
inline constexpr uint8_t offered_by_the_dead = 1; // a master that is dead
inline constexpr uint8_t offered_by_the_living = 2;

// A connection. All that a worker knows it by is its descriptor.
struct ConnectionState {
    uint8_t waits;      // in the listen queue
    uint8_t messages;   // that the client sends
    uint8_t sent;       // messages that were read from it
    uint8_t ends;       // after its messages the client sends an end of file
    uint8_t shut;       // the server has shut it down
    uint8_t watched;    // process + 1 whose kqueue watches it
    uint8_t unread;     // that kqueue does not tell what can be read there
    uint32_t written;   // bytes written to it
    uint64_t base;      // `received` has the bytes from this one on
    uint64_t joined_at; // offset of the log at which it was attached
    std::array<char, received_max> received;
};

struct KernelState {
    std::array<ChannelState, processes_max> channels;   // by process
    std::array<uint8_t, processes_max> exit_watched;    // the master is to be told of its exit
    std::array<uint8_t, entries> rung;                  // the entry's pipe is not empty
    std::array<uint8_t, places> table;                  // the connection + 1 that is open there
    std::array<ConnectionState, connections> connected; // all connections
    uint64_t write_limit;                               // bytes that one send(2) takes at most

    // A process is dead: its kqueue is gone, and what it has not read of its channel. Its own words
    // are still there.
    void bury(uint32_t process, bool is_master);
};

// Descriptors that no real kernel gives out: a kind, and which one of its kind.
enum class Descriptor : uint8_t {
    pipe_reading = 1, // of an entry
    pipe_writing = 2,
    connection = 3, // in a worker: of a connection
    place = 4,      // in the masters' table
    rendezvous = 5, // a master's end: of a process
};
[[nodiscard]] constexpr int descriptor(Descriptor kind, uint32_t number) {
    return static_cast<int>(kind) << 24 | static_cast<int>(number);
}
[[nodiscard]] constexpr bool is(Descriptor kind, int descriptor) {
    return descriptor >> 24 == static_cast<int>(kind);
}
[[nodiscard]] constexpr uint32_t number_in(int descriptor) {
    return static_cast<uint32_t>(descriptor) & 0xffffff;
}

// The port that a connection comes from. All come to listening_port.
[[nodiscard]] constexpr uint16_t port_of(uint32_t connection) {
    return static_cast<uint16_t>(1000 + connection);
}
inline constexpr uint16_t listening_port = 9;

// The text of the nth message that the client of a connection sends: [A0], for one.
[[nodiscard]] constexpr std::array<char, message_bytes> message(
    uint32_t connection, uint32_t number) {
    return {'[', static_cast<char>('A' + connection), static_cast<char>('a' + connection),
        static_cast<char>('0' + number), ']'};
}

} // namespace chatserv::model
