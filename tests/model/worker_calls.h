// The system calls of the model's workers, as the model's own code makes them.
#pragma once

#include "shared/segment/user_table.h"
#include "tests/model/kernel.h"

#include <cstdint>

namespace chatserv::model {

class Simulator;

// What a worker can be woken by.
inline constexpr uint32_t event_rung = 1;
inline constexpr uint32_t event_readable = 2;
inline constexpr uint32_t event_asked = 4;    // for its client
inline constexpr uint32_t event_client = 8;   // has come
inline constexpr uint32_t event_offered = 16; // a new channel
inline constexpr uint32_t event_entry = 32;   // was given

class WorkerCalls {
public:
    explicit WorkerCalls(Simulator& simulator) : simulator_(&simulator) {}

    // kevent(2): which of the events above there are; where there is none, waits for one if it
    // `may_sleep`. What was asked is read by it.
    [[nodiscard]] uint32_t events(bool may_sleep) const;
    // The client that was sent to this process.
    struct Arrival {
        ClientId id;
        uint32_t connection;
    };
    [[nodiscard]] Arrival receive_client() const;
    // The entry that was given to this process.
    [[nodiscard]] uint32_t receive_entry() const;
    // Takes the channel that waits in the rendezvous, and gives up the old one.
    void take_channel() const;
    // Tells the master. Nobody hears it where the channel is a dead master's.
    void tell(const Word& word) const;

    // The kqueue watches this connection from now on; tells no more of what can be read there;
    // watches it no more.
    void watch(uint32_t connection) const;
    void stop_reading(uint32_t connection) const;
    void unwatch(uint32_t connection) const;
    // The client of this connection gets the log from this offset on.
    void note_joined(uint32_t connection, uint64_t log_offset) const;
    // Bytes read from the connection, and written to it, in all.
    [[nodiscard]] uint64_t consumed(uint32_t connection) const;
    [[nodiscard]] uint64_t written(uint32_t connection) const;

private:
    [[nodiscard]] ChannelState& channel() const;

    Simulator* simulator_;
};

} // namespace chatserv::model
