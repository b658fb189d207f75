#include "master/workers/seat_book.h"

#include "master/ledger/master_point.h"
#include "shared/segment/atomic_word.h"

#include <algorithm>
#include <fcntl.h>

namespace chatserv {

namespace {

SeatState state_of(const SeatRecord& seat) {
    return static_cast<SeatState>(load_acquire(seat.state));
}

void set_state(SeatRecord& seat, SeatState state) {
    store_release(seat.state, static_cast<uint32_t>(state));
}

EntryState state_of(const EntryRecord& entry) {
    return static_cast<EntryState>(load_acquire(entry.state));
}

void set_state(EntryRecord& entry, EntryState state) {
    store_release(entry.state, static_cast<uint32_t>(state));
}

bool has_process(std::span<const SeatRecord> seats, pid_t pid) {
    return std::ranges::any_of(seats, [pid](const SeatRecord& seat) {
        return state_of(seat) != SeatState::empty && load_acquire(seat.pid) == pid;
    });
}

} // namespace

// A master that died in note_starting() can have noted a rendezvous in a seat that is still empty.
// No process has its other end.
void put_seats_in_order(const Ledger& ledger) {
    for (const std::span<SeatRecord> seats :
        {ledger.seats(), ledger.metrics(), ledger.bridge(), ledger.sources()})
        for (SeatRecord& seat : seats) {
            const int fd = number_of(seat.rendezvous);
            if (fd != -1 && (state_of(seat) == SeatState::empty || ::fcntl(fd, F_GETFD) == -1))
                store_release(seat.rendezvous.word, 0);
        }
}

bool may_reap(const Ledger& ledger, pid_t pid) {
    return !has_process(ledger.seats(), pid) && !has_process(ledger.metrics(), pid) &&
           !has_process(ledger.bridge(), pid) && !has_process(ledger.sources(), pid);
}

std::vector<SeatBook::Seated> SeatBook::seated() const {
    std::vector<Seated> all;
    for (uint32_t index = 0; index < seats_.size(); ++index) {
        const SeatRecord& record = seats_[index];
        if (state_of(record) == SeatState::empty)
            continue;
        all.push_back({.seat = SeatId{index},
            .state = state_of(record),
            .pid = std::max(load_acquire(record.pid), 0),
            .rendezvous = number_of(record.rendezvous),
            .entry = entry_of(SeatId{index}),
            .proven = record.proven != 0,
            .upgrade = record.upgrade,
            .ended_because = record.cause});
    }
    return all;
}

std::vector<EntryId> SeatBook::dead_entries() const {
    std::vector<EntryId> dead;
    for (uint32_t index = 0; index < entries_.size(); ++index)
        if (state_of(entries_[index]) == EntryState::dead)
            dead.push_back(EntryId{index});
    return dead;
}

std::optional<EntryId> SeatBook::entry_of(SeatId seat) const {
    for (uint32_t index = 0; index < entries_.size(); ++index)
        if (state_of(entries_[index]) == EntryState::manned &&
            entries_[index].seat == index_of(seat))
            return EntryId{index};
    return std::nullopt;
}

// A process that an earlier master has forked may not have stored its pid yet, and do so at any
// time.
PidWord SeatBook::note_starting(SeatId seat, int rendezvous, uint32_t upgrade) {
    SeatRecord& record = record_of(seat);
    record.starts = record.starts % (1U << 30) + 1;
    const int32_t unset = -static_cast<int32_t>(record.starts);
    store_release(record.pid, unset);
    record.proven = 0;
    record.cause[0] = '\0';
    record.upgrade = upgrade;
    store_release(record.rendezvous.word, noted(rendezvous).word);
    master_point(MasterPoint::rendezvous_noted); // MW8
    set_state(record, SeatState::starting);
    return {.word = &record.pid, .unset = unset};
}

void SeatBook::note_ready(SeatId seat) {
    set_state(record_of(seat), SeatState::ready);
}

void SeatBook::note_proven(SeatId seat) {
    record_of(seat).proven = 1;
}

// Before the process is killed, so that the log names the reason, whichever master writes it.
void SeatBook::note_end(SeatId seat, std::string_view because) {
    SeatRecord& record = record_of(seat);
    record.cause[because.copy(record.cause, sizeof record.cause - 1)] = '\0';
}

void SeatBook::note_rendezvous_closed(SeatId seat) {
    store_release(record_of(seat).rendezvous.word, 0);
}

void SeatBook::note_manned(EntryId entry, SeatId seat) {
    EntryRecord& record = entries_[index_of(entry)];
    record.seat = index_of(seat);
    set_state(record, EntryState::manned);
}

bool SeatBook::note_vacant(EntryId entry) {
    EntryRecord& record = entries_[index_of(entry)];
    if (state_of(record) != EntryState::dead)
        return false;
    set_state(record, EntryState::vacant);
    return true;
}

void SeatBook::note_exit(SeatId seat, std::optional<EntryId> entry) {
    if (entry)
        set_state(entries_[index_of(*entry)], EntryState::dead);
    set_state(record_of(seat), SeatState::ended);
}

void SeatBook::note_empty(SeatId seat) {
    SeatRecord& record = record_of(seat);
    note_rendezvous_closed(seat);
    store_release(record.pid, 0);
    set_state(record, SeatState::empty);
}

} // namespace chatserv
