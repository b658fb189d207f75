// The client book: everything that the master keeps about its clients, from accept(2) to the closed
// connection. It takes clients in, notes what workers say of them, and releases them; each of these
// steps keeps the escrow, the admission rules, the counters and the log in agreement.
#pragma once

#include "master/clients/admission.h"
#include "master/clients/counters.h"
#include "master/clients/departures.h"
#include "master/clients/escrow.h"
#include "master/clients/lingering_close.h"
#include "master/clients/listener.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace chatserv {

class ClientBook {
public:
    // What the log says of the limits that a client ran into.
    struct Limits {
        uint32_t max_rate_bytes;                // a second
        std::chrono::milliseconds idle_timeout; //
    };

    ClientBook(Escrow escrow, Admission::Rules rules, LingeringClose lingering_close,
        const Limits& limits) :
        escrow_(std::move(escrow)),
        admission_(std::move(rules)), lingering_close_(std::move(lingering_close)),
        limits_(limits) {}

    // Why a peer with this address cannot come in now; nothing where it can.
    [[nodiscard]] std::optional<Refusal> refusal(const Address& peer) const;
    // Takes a newcomer in that is not refused, and assigns it to an entry of the worker table.
    ClientId take_in(Listener::Accepted newcomer, EntryId entry);
    // Tells a newcomer why it is refused, and closes its connection.
    void turn_away(Listener::Accepted newcomer, Refusal why);

    // What the worker of `entry` said of a client that the escrow holds for that entry.
    void note_attached(ClientId client, HeldClient& held);
    void note_throttled(ClientId client, HeldClient& held);

    // The client has left, or has to: frees its slot and closes its connection.
    void release_client(ClientId client, const Departure& why);
    // True where a client was released since this was asked last: a slot and a descriptor are free.
    [[nodiscard]] bool take_room_freed() { return std::exchange(room_freed_, false); }

    [[nodiscard]] Escrow& escrow() { return escrow_; }
    [[nodiscard]] const Escrow& escrow() const { return escrow_; }
    [[nodiscard]] Counters& counters() { return counters_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }
    // Takes the events of connections that are on their last line.
    [[nodiscard]] LingeringClose& lingering_close() { return lingering_close_; }

private:
    Escrow escrow_;
    Admission admission_;
    Counters counters_;
    LingeringClose lingering_close_;
    Limits limits_;
    bool room_freed_ = false;
};

} // namespace chatserv
