// The part of a system that the processes of the model need: doorbell pipes, sockets whose bytes
// are accounted for, the channels between master and workers, and who is dead. What it knows is
// plain data, part of the model's state.
//
// The product's own calls of read(2), write(2), recv(2), send(2) and sendmsg(2) are led here when
// the test is linked. A call takes place in one step and, as the locks in a kernel do, empties the
// store buffer of whoever makes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace chatserv::model {

class Simulator;

// Of the worker table: two whose clients send, one whose client listens.
inline constexpr uint32_t entries = 3;
inline constexpr uint32_t entry_a = 0;
inline constexpr uint32_t entry_b = 1;
inline constexpr uint32_t entry_r = 2;
inline constexpr uint32_t no_client = ~0U;
inline constexpr size_t message_bytes = 5;
inline constexpr size_t received_max = 32;

// What a process can be woken by.
inline constexpr uint32_t event_rung = 1;
inline constexpr uint32_t event_readable = 2;
inline constexpr uint32_t event_asked = 4;  // for its client
inline constexpr uint32_t event_client = 8; // has come

// A client is named by its slot. Where there may be none, it is the slot + 1, or 0.
struct KernelState {
    // By entry, of the worker table's.
    std::array<uint8_t, entries> rung;    // its pipe is not empty
    std::array<uint8_t, entries> died;    // its process died, and was not reaped
    std::array<uint8_t, entries> given;   // it waits for a spare to take it
    std::array<uint8_t, entries> watched; // the client whose socket its process's kqueue watches
    std::array<uint8_t, entries>
        asked; // its process is to let its client go, and has not read that
    std::array<uint8_t, entries> coming; // the client that was sent to its process, and not read
    std::array<uint8_t, entries> told;   // the client that its process has let go; not read
    // By slot.
    std::array<uint8_t, entries> owner;    // the client's entry, in the master's books
    std::array<uint8_t, entries> messages; // that the client has yet to send
    std::array<uint8_t, entries> sent;     // messages that were read from it
    std::array<uint32_t, entries> written; // bytes written to it
    // The last of those, from offset `base` of the log on.
    std::array<std::array<char, received_max>, entries> received;
    uint64_t base;
    uint64_t write_limit; // bytes that one send(2) takes at most

    // The process of an entry is dead: its kqueue is gone, and what it has not read of its channel.
    void bury(uint32_t entry);
};

// The calls as processes of the model make them.
class Kernel {
public:
    explicit Kernel(Simulator& simulator) : simulator_(&simulator) {}

    // kevent(2): which of the events above there are for `entry`; where there is none, waits for
    // one if it `may_sleep`.
    [[nodiscard]] uint32_t events(uint32_t entry, bool may_sleep) const;
    // The client that was sent to the entry's process: its slot.
    [[nodiscard]] uint32_t receive_client(uint32_t entry) const;
    // The entry's kqueue watches this client's socket from now on; no_client: none.
    void watch(uint32_t entry, uint32_t slot) const;
    // A worker: tells the master that it has let a client go.
    void tell(uint32_t entry, uint32_t slot) const;

    // What the master waits for: word of a worker, or a death. `last_words_first`: a dead worker's
    // word before its death.
    struct News {
        uint32_t entry;
        uint32_t let_go; // the slot of a client, or no_client: the entry's process has died
    };
    [[nodiscard]] News wait_for_news(bool last_words_first) const;
    // The master: the client is of this entry from now on, and is sent to its process, if there is
    // one. (The next process gets what its books say.)
    void send_client(uint32_t entry, uint32_t slot) const;
    // The master: asks the entry's process, or its next one, for its client.
    void ask(uint32_t entry) const;
    // The master: gives an entry to whichever spare takes it first.
    void give(uint32_t entry) const;
    // A spare: waits until it is given an entry, and takes it, with its client or no_client.
    struct Taken {
        uint32_t entry;
        uint32_t slot;
    };
    [[nodiscard]] Taken take() const;
    // Bytes read from the client, and written to it, in all.
    [[nodiscard]] uint64_t consumed(uint32_t slot) const;
    [[nodiscard]] uint64_t written(uint32_t slot) const;

private:
    Simulator* simulator_;
};

// Descriptors that no real kernel gives out.
[[nodiscard]] constexpr int pipe_reading(uint32_t entry) {
    return 0x1000000 + static_cast<int>(entry);
}
[[nodiscard]] constexpr int pipe_writing(uint32_t entry) {
    return 0x2000000 + static_cast<int>(entry);
}
[[nodiscard]] constexpr int client_socket(uint32_t slot) {
    return 0x3000000 + static_cast<int>(slot);
}

// The text of the nth message that the client of an entry sends: [A0], for one.
[[nodiscard]] constexpr std::array<char, message_bytes> message(uint32_t entry, uint32_t number) {
    return {'[', static_cast<char>('A' + entry), static_cast<char>('a' + entry),
        static_cast<char>('0' + number), ']'};
}

} // namespace chatserv::model
