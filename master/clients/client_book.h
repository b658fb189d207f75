// The client book: everything that the master keeps about its clients, from accept(2) to the closed
// connection. It takes clients in, notes what workers say of them, and releases them; each of these
// steps keeps the escrow, the admission rules, the counters and the log in agreement.
//
// The book is in the ledger. What is not there follows from it, so the book of a successor begins
// where that of the dead master ended (inheritance.h). The log is told of a step after the step is
// made: of each step once at most.
#pragma once

#include "master/clients/admission.h"
#include "master/clients/counters.h"
#include "master/clients/departures.h"
#include "master/clients/escrow.h"
#include "master/clients/lingering_close.h"
#include "master/clients/newcomers.h"
#include "master/clients/seldom.h"

#include <array>
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
    struct Settings {
        uint32_t entries;  // of the worker table
        bool keep_account; // as in Escrow
        Admission::Rules rules;
        Limits limits;
        Tag lingering_tag; // as in LingeringClose, as the next one
        uintptr_t lingering_timer;
        uint32_t users = users_max; // as Escrow::limit_users() takes it
    };

    // No transition is under way in the ledger (inheritance.h).
    ClientBook(const Ledger& ledger, UserTable users, EventQueue& events, ServedClock& clock,
        Settings settings);

    // Goes on with the connections that a dead master left on their last line. Before any of the
    // following; the newcomers that it left are the acceptor's.
    void resume() { lingering_close_.adopt(); }

    // Other rules and limits from now on. Nobody who is here has to leave for it.
    void follow(Admission::Rules rules, const Limits& limits, uint32_t users);

    // Why a peer with this address cannot come in now; nothing where it can.
    [[nodiscard]] std::optional<Refusal> refusal(const Address& peer) const;
    // Takes a newcomer in that is not refused, and assigns it to an entry of the worker table.
    ClientId take_in(const Newcomers::Arrival& arrival, EntryId entry);
    // Tells a newcomer why it is refused, and closes its connection.
    void turn_away(const Newcomers::Arrival& arrival, Refusal why);

    // What the worker of `entry` said of a client that the escrow holds for that entry.
    void note_attached(ClientId client, HeldClient& held);
    void note_throttled(ClientId client, const HeldClient& held);

    // The client has left, or has to: frees its slot and closes its connection.
    void release_client(ClientId client, const Departure& told);
    // True where a client was released since this was asked last: a slot and a descriptor are free.
    [[nodiscard]] bool take_room_freed() { return std::exchange(room_freed_, false); }

    [[nodiscard]] Escrow& escrow() { return escrow_; }
    [[nodiscard]] const Escrow& escrow() const { return escrow_; }
    [[nodiscard]] Counters& counters() { return counters_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }
    // Accepts connections, and has those that a dead master left.
    [[nodiscard]] Newcomers& newcomers() { return newcomers_; }
    // Takes the events of connections that are on their last line.
    [[nodiscard]] LingeringClose& lingering_close() { return lingering_close_; }

private:
    [[nodiscard]] static Departure as_it_is(const Departure& told, const HeldClient& held);
    void tell_turned_away(const Address& peer, Refusal why);
    void note_relayed(const HeldClient& source, uint64_t bytes) const;

    const Ledger& ledger_;
    UserTable users_;
    Transitions transitions_;
    Newcomers newcomers_;
    Escrow escrow_;
    Admission admission_;
    Counters counters_;
    LingeringClose lingering_close_;
    Limits limits_;
    ServedClock& clock_;
    std::array<Seldom, refusals_end> seldom_{}; // by Refusal
    bool room_freed_ = false;
};

} // namespace chatserv
