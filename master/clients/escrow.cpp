#include "master/clients/escrow.h"

#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"

#include <unistd.h>

namespace chatserv {

// Free slots, held counts and the clients of each entry follow from the records.
Escrow::Escrow(const Ledger& ledger, UserTable users, uint32_t entries, bool keep_account) :
    ledger_(ledger), users_(users), transitions_(ledger, users), clients_of_entry_(entries),
    users_max_(users.size()), keep_account_(keep_account) {
    invariant(
        !transitions_.any_under_way(), "the escrow was made before a transition was finished");
    for (ClientRecord& record : ledger.clients()) {
        if (record.generation == 0) // no slot from here on was ever used
            break;
        slots_.emplace_back(record);
        if (slots_.back().socket() == -1) {
            freed_.push(SlotId{static_cast<uint32_t>(slots_.size() - 1)});
        } else {
            count_in(record);
        }
    }
}

void Escrow::count_in(const ClientRecord& record) {
    ++clients_of_entry_[record.entry];
    ++clients_with_role_[static_cast<size_t>(role_of(record.role))];
    ++held_;
}

Escrow::~Escrow() {
    for (ClientRecord& record : ledger_.clients().first(slots_.size())) {
        if (const int socket = number_of(record.socket); socket != -1)
            ::close(socket);
        record.socket = {};
    }
}

SlotId Escrow::take_lowest_free_slot() {
    if (freed_.empty()) {
        slots_.emplace_back(ledger_.clients()[slots_.size()]);
        return SlotId{static_cast<uint32_t>(slots_.size() - 1)};
    }
    const SlotId slot = freed_.top();
    freed_.pop();
    return slot;
}

// What every transition of a client has in its record.
RedoRecord Escrow::transition(RedoKind kind, ClientId client, Count count) const {
    return {.kind = static_cast<uint32_t>(kind),
        .socket = ledger_.clients()[index_of(client.slot)].socket,
        .slot = index_of(client.slot),
        .generation = client.generation,
        .counter = count.counter,
        .newcomer = place_none,
        .counter_value = count.value,
        .lingering_place = place_none};
}

// The bytes of a client that goes stay in the sums of the server, and of its source.
RedoRecord Escrow::departure(
    RedoKind kind, ClientId client, Count count, const Traffic& traffic) const {
    RedoRecord redo = transition(kind, client, count);
    redo.departed_in = load_acquire(ledger_.counters()[departed_in_counter]) + traffic.in;
    redo.departed_out = load_acquire(ledger_.counters()[departed_out_counter]) + traffic.out;
    redo.source = ledger_.clients()[index_of(client.slot)].source;
    if (redo.source != 0) {
        const SourceRecord& source = ledger_.places()[redo.source - 1U];
        redo.source_received = load_acquire(source.received) + traffic.in;
        redo.source_sent = load_acquire(source.sent) + traffic.out;
    }
    return redo;
}

ClientId Escrow::admit(
    const Newcomer& newcomer, const Address& peer, EntryId entry, Count count, uint64_t since_ms) {
    invariant(!full(), "a client was admitted to a full table");
    const SlotId slot = take_lowest_free_slot();
    HeldClient& held = slots_[index_of(slot)];
    held.begin_anew();
    const ClientId client{.slot = slot, .generation = held.record_->generation + 1};
    RedoRecord redo = transition(RedoKind::admit, client, count);
    redo.socket = noted(newcomer.socket);
    redo.newcomer = newcomer.place;
    redo.entry = index_of(entry);
    redo.role = static_cast<uint8_t>(newcomer.role);
    redo.source = newcomer.source;
    if (newcomer.source != 0)
        redo.source_connections =
            load_acquire(ledger_.places()[newcomer.source - 1U].connections) + 1;
    redo.by_path = newcomer.by_path ? 1 : 0;
    redo.peer = noted(peer);
    redo.since_ms = since_ms;
    if (const auto base = keep_account_ ? byte_counts(newcomer.socket) : std::nullopt) {
        redo.accounted = 1;
        redo.written_base = base->written;
        redo.consumed_base = base->consumed;
    } else if (keep_account_ && counts_reads(newcomer.socket)) {
        redo.accounted = 1; // of what is read, from now on
    }
    transitions_.make(redo);
    count_in(*held.record_);
    return client;
}

HeldClient* Escrow::find(ClientId client) {
    if (index_of(client.slot) >= slots_.size())
        return nullptr;
    HeldClient& held = slots_[index_of(client.slot)];
    return held.socket() != -1 && held.record_->generation == client.generation ? &held : nullptr;
}

HeldClient* Escrow::find_served_by(EntryId entry, ClientId client) {
    HeldClient* const held = find(client);
    return held != nullptr && held->entry() == entry ? held : nullptr;
}

HeldClient& Escrow::held(ClientId client) {
    HeldClient* const held = find(client);
    invariant(held != nullptr, "a client was to change that was not held");
    return *held;
}

bool Escrow::reassign(ClientId client, EntryId to, Count count) {
    const EntryId from = held(client).entry();
    const std::optional<SlotState> state = users_.let_go_by(client, from);
    if (!state)
        return false;
    RedoRecord redo = transition(RedoKind::reassign, client, count);
    redo.entry = index_of(to);
    redo.slot_state = static_cast<uint32_t>(*state);
    transitions_.make(redo);
    --clients_of_entry_[index_of(from)];
    ++clients_of_entry_[index_of(to)];
    return true;
}

void Escrow::mark_throttled(ClientId client, Count count) {
    (void)held(client);
    transitions_.make(transition(RedoKind::throttle, client, count));
}

void Escrow::release(ClientId client, Count count, const Traffic& traffic) {
    const EntryId entry = held(client).entry();
    transitions_.make(departure(RedoKind::release, client, count, traffic));
    forget(client, entry);
}

void Escrow::dismiss(
    ClientId client, const LingeringPlace& lingering, Count count, const Traffic& traffic) {
    const EntryId entry = held(client).entry();
    RedoRecord redo = departure(RedoKind::dismiss, client, count, traffic);
    redo.lingering_place = lingering.place;
    redo.lingering = lingering.record;
    transitions_.make(redo);
    forget(client, entry);
}

void Escrow::forget(ClientId client, EntryId entry) {
    freed_.push(client.slot);
    --clients_with_role_[static_cast<size_t>(slots_[index_of(client.slot)].role())];
    --clients_of_entry_[index_of(entry)];
    --held_;
}

std::vector<Address> Escrow::peers() const {
    std::vector<Address> peers;
    for (const HeldClient& held : slots_)
        if (held.socket() != -1 && !held.is_source())
            peers.push_back(held.peer());
    return peers;
}

std::vector<ClientId> Escrow::all_of(EntryId entry) const {
    std::vector<ClientId> clients;
    for (uint32_t index = 0; index < slots_.size(); ++index)
        if (slots_[index].socket() != -1 && slots_[index].entry() == entry)
            clients.push_back(
                {.slot = SlotId{index}, .generation = slots_[index].record_->generation});
    return clients;
}

} // namespace chatserv
