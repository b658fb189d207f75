// A small joined room of the model, as a test chooses it.
#pragma once

#include "tests/model/joined/bridge_process.h"
#include "tests/model/joined/stand_in.h"
#include "tests/model/joined/worker.h"
#include "tests/model/kernel.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace chatserv::model {

inline constexpr uint32_t joined_clients = 2; // of this host, at most

// Whether the bridge rings, or leaves all asleep, which the model has to find.
enum class Ringing { right, never };

struct JoinedSetting {
    // That each client sends. One whose number is 0 only listens.
    std::array<uint8_t, joined_clients> messages{1, 0};
    uint32_t clients = 1;                         // of this host; each has a worker
    std::vector<uint32_t> killable{entry_bridge}; // the entries whose processes may die
    uint32_t kills = 1;
    bool successors_may_die = true;
    bool has_joined = true;      // before everything; otherwise the bridge joins first
    uint32_t leaver = no_client; // the client that sends an end of file after its messages

    // These two make a search smaller.
    bool asks_wait = true; // false: what has no bytes gets into the stream at once
    bool in_order = false; // no store waits in a buffer for longer than to the next step

    // What happens outside this host.
    uint8_t words = 0;   // messages of another host
    uint8_t joins = 0;   // hosts that join
    uint8_t losses = 0;  // messages that the engine publishes never,
    uint8_t repeats = 0; // or twice
    uint8_t hurries = 0; // times that come before what is waited for

    // Put in by fault_test.cpp.
    GoingOn going_on = GoingOn::asks;
    Delivering delivering = Delivering::what_is_known;
    Ringing ringing = Ringing::right;
    Repair repair = Repair::right;

    [[nodiscard]] bool may_die(uint32_t entry) const {
        return kills > 0 && std::find(killable.begin(), killable.end(), entry) != killable.end();
    }
    [[nodiscard]] uint32_t spares() const {
        return may_die(entry_a) || may_die(entry_b) ? successors() : 0;
    }
    [[nodiscard]] uint32_t next_bridges() const { return may_die(entry_bridge) ? successors() : 0; }
    [[nodiscard]] uint64_t messages_here() const { return uint64_t{messages[0]} + messages[1]; }
    // Of all hosts.
    [[nodiscard]] uint64_t messages_in_all() const { return messages_here() + words; }

private:
    [[nodiscard]] uint32_t successors() const { return successors_may_die ? kills : 1; }
};

// Whose messages those of another host are, in place of a connection.
inline constexpr uint32_t elsewhere = 'Z' - 'A';

} // namespace chatserv::model
