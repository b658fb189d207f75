// Placement: which entry of the worker table serves a client.
//
// The entries in use are those over which the room is spread (spread.h). A newcomer goes to one of
// them, and clients of other entries move there.
#pragma once

#include "shared/segment/layout.h"

#include <cstdint>
#include <span>
#include <vector>

namespace chatserv {

struct EntryLoad {
    bool served;          // a worker process serves the entry
    uint32_t clients;     // that the entry has, or is about to get from others
    bool drained = false; // it is to have no clients
    bool in_use = true;   // the room is spread over this entry among others
};

// The entry in use with the fewest clients (P3), of several the first. An entry without a worker
// process is chosen only where no entry has one: its clients wait for the next process. A drained
// entry is chosen only where no other entry has a process, and one that is not in use only where
// none in use has a process. `loads`: by entry; at least one.
[[nodiscard]] EntryId entry_for_newcomer(std::span<const EntryLoad> loads);

struct Shift {
    EntryId from;
    EntryId to;
    uint32_t clients;

    bool operator==(const Shift&) const = default;
};

// Which difference between entries in use is worth moving clients: clients come and go.
enum class Difference : uint8_t {
    large, // they have differed little so far
    small, // clients are moving for that already, and the rest follows
};

// What has to move so that the entries in use have all clients, in about equal numbers; at most
// `clients_max` clients. Between entries in use nothing moves for less than the difference that is
// `worthwhile`. Entries without a worker process, and drained ones, are passed over. `loads`: by
// entry.
[[nodiscard]] std::vector<Shift> shifts_to_even_out(
    std::span<const EntryLoad> loads, uint32_t clients_max, Difference worthwhile);

} // namespace chatserv
