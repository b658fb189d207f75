// The seat book: the worker processes and the entries of the worker table, as the ledger notes them
// for the master's successor.
//
// A seat: empty -> starting -> ready -> ended -> empty. An entry: vacant -> manned -> dead ->
// manned or vacant. Each change is noted at the instant that makes it safe to die behind it:
//
//     a process starts    its rendezvous is opened, then noted; only then is it forked (MW8)
//     it gets an entry    the entry is noted as manned, then the process is told (MW10)
//     it is to end by     why is noted, its rendezvous is closed, then un-noted; a successor that
//     itself              finds it alive kills it
//     it has died         its entry is noted as dead and its seat as ended, then it is reaped, so
//                         that no successor takes another process of that pid for it (MW9)
//     it is recovered     its rendezvous is closed, then its seat is empty
//     it has no successor because a reload has taken the entry out of service: after the recovery
//                         the entry is noted as vacant (MW16)
//
// The recovery of an entry can be done again until the entry is manned or vacant, and a successor
// does it for every entry that is dead.
#pragma once

#include "master/ledger/ledger.h"
#include "master/workers/worker_program.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// Un-notes the rendezvous that were closed before their master died, and those of no process, which
// are left to be closed. To be called before a successor opens its first descriptor: until then a
// noted number that is closed has not become another file's.
void put_seats_in_order(const Ledger& ledger);

// Whether the keeper may reap this process, its child: no seat says that a master has yet to
// recover what the process served, or to learn of its end.
[[nodiscard]] bool may_reap(const Ledger& ledger, pid_t pid);

class SeatBook {
public:
    explicit SeatBook(const Ledger& ledger) : SeatBook(ledger.seats(), ledger.entries()) {}
    // Of other seats than the workers', which have no entries.
    explicit SeatBook(
        std::span<SeatRecord> seats, std::span<EntryRecord> entries = std::span<EntryRecord>()) :
        seats_(seats),
        entries_(entries) {}

    // A process as a predecessor has left it.
    struct Seated {
        SeatId seat;
        SeatState state;
        pid_t pid;                      // 0: it was not forked, or did not get so far as to say so
        int rendezvous;                 // the master's end; -1: none
        std::optional<EntryId> entry{}; // that it serves
        bool proven;
        uint32_t upgrade;          // of whose program it is
        std::string ended_because; // empty: no master ended it
    };
    [[nodiscard]] std::vector<Seated> seated() const;
    // The entries whose processes have died, and which no process serves since.
    [[nodiscard]] std::vector<EntryId> dead_entries() const;

    // A process is about to be forked. Returns the word in which it is to store its pid.
    // `upgrade`: the number of the one whose program it is.
    [[nodiscard]] PidWord note_starting(SeatId seat, int rendezvous, uint32_t upgrade = 0);
    void note_ready(SeatId seat);
    void note_proven(SeatId seat);
    void note_end(SeatId seat, std::string_view because);
    // The rendezvous is closed, and the process ends by itself.
    void note_rendezvous_closed(SeatId seat);
    void note_manned(EntryId entry, SeatId seat);
    // The entry is recovered, and no process is to get it. Only a dead entry becomes vacant;
    // returns whether it was one.
    bool note_vacant(EntryId entry);
    // The process has exited, and is not reaped yet.
    void note_exit(SeatId seat, std::optional<EntryId> entry);
    // What the process served is recovered, and its rendezvous is closed.
    void note_empty(SeatId seat);

private:
    [[nodiscard]] SeatRecord& record_of(SeatId seat) const { return seats_[index_of(seat)]; }
    [[nodiscard]] std::optional<EntryId> entry_of(SeatId seat) const;

    std::span<SeatRecord> seats_;
    std::span<EntryRecord> entries_;
};

} // namespace chatserv
