#include "master/in_force.h"

#include "master/ledger/holdings.h"
#include "shared/ipc/unix_socket.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

// An address of no family if the descriptor is closed.
Address address_of_noted(const HoldingRecord& record) {
    Address address;
    socklen_t size = Address::capacity();
    return ::getsockname(number_of(record.fd), address.data(), &size) == 0 ? address : Address();
}

bool is_open(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0;
}

// Close, then un-note. A number that is closed already is no other file's: nothing was opened
// since.
void close_noted(HoldingRecord& record) {
    if (is_open(number_of(record.fd)))
        ::close(number_of(record.fd));
    store_release(record.fd.word, 0U);
}

} // namespace

std::vector<Listener> noted_listeners(
    const Ledger& ledger, const std::vector<ListenerNote>& notes) {
    std::vector<Listener> listeners;
    for (const ListenerNote& note : notes) {
        const int fd = Holdings(ledger).find(Holding::listener, note.number);
        if (fd == -1 || !is_open(fd))
            continue;
        Listener& listener = listeners.emplace_back(UniqueFd(fd),
            note.is_handed_over ? Listener::Origin::handed_over : Listener::Origin::opened);
        listener.note_number(note.number);
        listener.note_handed_role(note.handed_role);
        listener.note_serves(note.serves, note.role, note.proxied);
    }
    return listeners;
}

Legacy legacy_of(const Ledger& ledger) {
    const int fd = legacy_in_force(ledger);
    if (fd == -1)
        throw Failure(EX_SOFTWARE, "the options in force are missing");
    return read_legacy(fd);
}

// The objects of the keeper's time are left without a close: their numbers may be other files' now.
void adopt_what_is_in_force(Preparation& prepared, const std::vector<ListenerNote>& listeners) {
    const Ledger& ledger = prepared.ledger;
    for (HoldingRecord& record : ledger.holdings()) {
        if (number_of(record.fd) == -1)
            continue;
        const bool is_old_legacy = record.kind == static_cast<uint32_t>(Holding::legacy) &&
                                   record.number != ledger.standing().options_number;
        const bool is_old_listener =
            record.kind == static_cast<uint32_t>(Holding::listener) &&
            std::ranges::find(listeners, record.number, &ListenerNote::number) == listeners.end();
        if (is_old_listener && is_open(number_of(record.fd))) // the service manager may have a copy
            ::shutdown(number_of(record.fd), SHUT_RDWR);
        const Address listening = is_old_listener ? address_of_noted(record) : Address();
        if (is_old_legacy || is_old_listener)
            close_noted(record);
        if (listening.is_unix())
            (void)remove_abandoned(listening.path());
    }
    for (Listener& former : prepared.listeners)
        former.abandon();
    prepared.listeners = noted_listeners(ledger, listeners);
    for (const ListenerNote& note : listeners) // a reload may have been cut off before it did that
        Holdings(ledger).note_role(note.number, note.role, note.proxied);
    (void)prepared.legacy.release();
    prepared.legacy = UniqueFd(legacy_in_force(ledger));
}

} // namespace chatserv
