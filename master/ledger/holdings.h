// Holdings: the ledger's list of the descriptors that belong to the server as a whole, and to
// every master in turn.
//
// A successor closes what nobody has noted, so a descriptor that it needs is here, in another area
// of the ledger, or is a standard stream. The list is short and seldom changes.
#pragma once

#include "master/ledger/ledger.h"

#include <array>
#include <cstdint>
#include <vector>

namespace chatserv {

// The files of the server's programs. Number 0: of the present one; number 1: of the one before it,
// as long as it may be needed.
inline constexpr std::array program_holdings{Holding::own_program, Holding::worker_program,
    Holding::metrics_program, Holding::source_program, Holding::bridge_program};

class Holdings {
public:
    explicit Holdings(const Ledger& ledger) : records_(ledger.holdings()) {}

    // Notes an open descriptor. One of the same kind and number takes the place of the former one,
    // in one store. Panics if the list is full: its length follows from the options.
    void note(Holding kind, uint32_t number, int fd) const;
    // The same for a listen socket, with the role of its clients, and whether they are proxied;
    // that of a noted one changes.
    void note_listener(uint32_t number, int fd, Role role, bool proxied) const;
    void note_role(uint32_t number, Role role, bool proxied) const;
    // This one was closed.
    void forget(Holding kind, uint32_t number) const;
    // All descriptors of this kind were closed.
    void forget_all(Holding kind) const;

    // -1 if there is none.
    [[nodiscard]] int find(Holding kind, uint32_t number) const;
    // Whether this descriptor is noted as one of this kind.
    [[nodiscard]] bool has(Holding kind, int fd) const;

private:
    [[nodiscard]] HoldingRecord* record_of(Holding kind, uint32_t number) const;

    std::span<HoldingRecord> records_;
};

} // namespace chatserv
