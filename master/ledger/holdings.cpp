#include "master/ledger/holdings.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

// A record without a descriptor is free. Its kind and number are written before the descriptor, so
// a record that has one is whole.
void Holdings::note(Holding kind, uint32_t number, int fd) const {
    if (HoldingRecord* const former = record_of(kind, number))
        return store_release(former->fd.word, noted(fd).word);
    const auto free = std::ranges::find_if(
        records_, [](const HoldingRecord& record) { return record.fd.word == 0; });
    invariant(free != records_.end(), "the ledger has no place for another descriptor");
    free->kind = static_cast<uint32_t>(kind);
    free->number = number;
    store_release(free->fd.word, noted(fd).word);
}

// A master that dies in between has accepted nothing there yet.
void Holdings::note_listener(uint32_t number, int fd, Role role, bool proxied) const {
    note(Holding::listener, number, fd);
    note_role(number, role, proxied);
}

void Holdings::note_role(uint32_t number, Role role, bool proxied) const {
    if (HoldingRecord* const record = record_of(Holding::listener, number)) {
        store_release(record->role, static_cast<uint8_t>(role));
        store_release(record->proxied, static_cast<uint8_t>(proxied ? 1 : 0));
    }
}

void Holdings::forget(Holding kind, uint32_t number) const {
    if (HoldingRecord* const record = record_of(kind, number))
        store_release(record->fd.word, 0U);
}

void Holdings::forget_all(Holding kind) const {
    for (HoldingRecord& record : records_)
        if (record.kind == static_cast<uint32_t>(kind))
            store_release(record.fd.word, 0U);
}

bool Holdings::has(Holding kind, int fd) const {
    return std::ranges::any_of(records_, [&](const HoldingRecord& record) {
        return record.kind == static_cast<uint32_t>(kind) && number_of(record.fd) == fd;
    });
}

int Holdings::find(Holding kind, uint32_t number) const {
    const HoldingRecord* const record = record_of(kind, number);
    return record == nullptr ? -1 : number_of(record->fd);
}

HoldingRecord* Holdings::record_of(Holding kind, uint32_t number) const {
    const auto found = std::ranges::find_if(records_, [&](const HoldingRecord& record) {
        return record.fd.word != 0 && record.kind == static_cast<uint32_t>(kind) &&
               record.number == number;
    });
    return found == records_.end() ? nullptr : &*found;
}

} // namespace chatserv
