#include "master/clients/transitions.h"

#include "master/ledger/master_point.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

namespace {

ClientId client_of(const RedoRecord& redo) {
    return {.slot = SlotId{redo.slot}, .generation = redo.generation};
}

// In two halves, for the sake of a death between them.
void write(RedoRecord& redo, const RedoRecord& written) {
    constexpr size_t half = sizeof(RedoRecord) / 2;
    auto* const to = reinterpret_cast<char*>(&redo);
    const auto* const from = reinterpret_cast<const char*>(&written);
    std::memcpy(to, from, half);
    master_point(MasterPoint::redo_torn);
    std::memcpy(to + half, from + half, sizeof(RedoRecord) - half);
    master_point(MasterPoint::redo_written);
}

// What a worker reads of a newcomer before it attaches it.
void describe(UserSlot& slot, const RedoRecord& redo) {
    std::memcpy(slot.address, redo.peer.ip, sizeof slot.address);
    slot.port = redo.peer.port;
    slot.ip_version = redo.peer.ip_version;
    slot.accounted = redo.accounted != 0 ? 1 : 0;
    slot.role = redo.role;
    slot.source = redo.source;
    slot.by_path = redo.by_path;
    slot.written_base = redo.written_base;
    slot.consumed_base = redo.consumed_base;
}

} // namespace

bool Transitions::any_under_way() const {
    return load_acquire(ledger_->redo().kind) != static_cast<uint32_t>(RedoKind::none);
}

void Transitions::make(const RedoRecord& transition) const {
    invariant(!any_under_way(), "a transition began within another");
    RedoRecord not_yet_valid = transition;
    not_yet_valid.kind = static_cast<uint32_t>(RedoKind::none);
    RedoRecord& redo = ledger_->redo();
    write(redo, not_yet_valid); // MW3
    store_release(redo.kind, transition.kind);
    finish();
}

void Transitions::finish() const {
    master_point(MasterPoint::redo_committed);
    apply(ledger_->redo());
    master_point(MasterPoint::redo_applied);
    store_release(ledger_->redo().kind, static_cast<uint32_t>(RedoKind::none));
    master_point(MasterPoint::redo_retired);
}

void Transitions::apply(const RedoRecord& redo) const {
    ClientRecord& client = ledger_->clients()[redo.slot];
    switch (static_cast<RedoKind>(redo.kind)) {
    case RedoKind::none:
        return;
    case RedoKind::admit: // MW4
        admit(redo);
        forget_newcomer(redo);
        break;
    case RedoKind::turn_away: // MW6
        note_lingering(redo);
        forget_newcomer(redo);
        break;
    case RedoKind::release: // MW7
        free_slot(redo);
        close_connection(redo);
        count_bytes(redo);
        forget_client(redo);
        break;
    case RedoKind::dismiss: // MW7, then MW6
        free_slot(redo);
        note_lingering(redo);
        count_bytes(redo);
        forget_client(redo);
        break;
    case RedoKind::reassign:
        users_.give(client_of(redo), static_cast<SlotState>(redo.slot_state), EntryId{redo.entry});
        master_point(MasterPoint::slot_given);
        client.entry = redo.entry;
        master_point(MasterPoint::client_marked);
        break;
    case RedoKind::throttle:
        client.throttled = 1;
        master_point(MasterPoint::client_marked);
        break;
    }
    count(redo);
}

void Transitions::admit(const RedoRecord& redo) const {
    describe(users_[SlotId{redo.slot}], redo);
    master_point(MasterPoint::slot_described);
    users_.assign(client_of(redo), EntryId{redo.entry});
    master_point(MasterPoint::slot_assigned);
    ClientRecord& client = ledger_->clients()[redo.slot];
    client = {.socket = redo.socket,
        .generation = redo.generation,
        .entry = redo.entry,
        .role = redo.role,
        .peer = redo.peer,
        .since_ms = redo.since_ms,
        .source = redo.source};
    master_point(MasterPoint::client_noted);
    if (redo.source != 0)
        store_release(ledger_->places()[redo.source - 1U].connections, redo.source_connections);
}

// The slot is freed before the connection is closed: a peer that sees its connection closed finds
// the slot free.
void Transitions::free_slot(const RedoRecord& redo) const {
    users_.release(client_of(redo));
    master_point(MasterPoint::slot_freed);
}

// The worker's own copy may still be open for an instant: close(2) alone would send nothing.
void Transitions::close_connection(const RedoRecord& redo) const {
    const int socket = number_of(redo.socket);
    ::shutdown(socket, SHUT_RDWR);
    master_point(MasterPoint::connection_shut);
    ::close(socket);
    master_point(MasterPoint::connection_closed);
}

void Transitions::note_lingering(const RedoRecord& redo) const {
    ledger_->lingering()[redo.lingering_place] = redo.lingering;
    master_point(MasterPoint::lingering_noted);
}

void Transitions::forget_newcomer(const RedoRecord& redo) const {
    if (redo.newcomer == place_none)
        return;
    ledger_->newcomers()[redo.newcomer].socket = {};
    master_point(MasterPoint::newcomer_forgotten);
}

void Transitions::forget_client(const RedoRecord& redo) const {
    ledger_->clients()[redo.slot].socket = {};
    master_point(MasterPoint::client_forgotten);
}

void Transitions::count_bytes(const RedoRecord& redo) const {
    store_release(ledger_->counters()[departed_in_counter], redo.departed_in);
    store_release(ledger_->counters()[departed_out_counter], redo.departed_out);
    if (redo.source == 0)
        return;
    SourceRecord& source = ledger_->places()[redo.source - 1U];
    store_release(source.received, redo.source_received);
    store_release(source.sent, redo.source_sent);
}

void Transitions::count(const RedoRecord& redo) const {
    store_release(ledger_->counters()[redo.counter], redo.counter_value);
    master_point(MasterPoint::counted);
}

} // namespace chatserv
