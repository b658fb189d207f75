// The system calls of the model's masters, as the model's own code makes them.
#pragma once

#include "shared/segment/user_table.h"
#include "shared/system/open_descriptors.h"
#include "tests/model/kernel.h"

#include <cstdint>
#include <vector>

namespace chatserv::model {

class Simulator;

class MasterCalls {
public:
    explicit MasterCalls(Simulator& simulator) : simulator_(&simulator) {}

    // A successor: waits until the master before it is dead.
    void await_predecessor() const;
    // Closes the channels of the dead master, with all that workers have said on them.
    void close_channels() const;
    // The connections that are open in the masters' table. Not a step: nobody else changes it.
    [[nodiscard]] std::vector<OpenDescriptor> open_connections() const;

    // Offers a process a new channel, over its rendezvous.
    void offer_channel(uint32_t process) const;
    // This master is to be told of the process's exit.
    void watch_exit(uint32_t process) const;

    struct News {
        enum class Kind : uint8_t { word, exit, connection };
        Kind kind;
        uint32_t process; // that has said the word, or is dead
        Word word;
    };
    // Waits for the word of a worker, a death or a connection. `last_words_first`: what a dead
    // worker has said comes before its death.
    [[nodiscard]] News wait_for_news(bool last_words_first) const;

    // Sends a process a client; tells it to take an entry, with a client or without one
    // (generation 0); asks it for its client. `socket`: the client's, in the masters' table.
    void send_client(uint32_t process, ClientId client, int socket) const;
    void give(uint32_t process, uint32_t entry, ClientId client, int socket) const;
    void ask(uint32_t process) const;

private:
    void put(uint32_t process, ClientId client, int socket) const;

    Simulator* simulator_;
};

} // namespace chatserv::model
