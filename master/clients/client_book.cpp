#include "master/clients/client_book.h"

#include "master/clients/client_events.h"
#include "master/clients/traffic.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/wall_clock.h"

#include <string_view>

namespace chatserv {

ClientBook::ClientBook(const Ledger& ledger, UserTable users, EventQueue& events,
    ServedClock& clock, Settings settings) :
    ledger_(ledger),
    users_(users), transitions_(ledger, users), newcomers_(ledger, settings.keep_account),
    escrow_(ledger, users, settings.entries, settings.keep_account),
    admission_(std::move(settings.rules)), counters_(ledger),
    lingering_close_(ledger, settings.keep_account, events, clock, settings.lingering_tag,
        settings.lingering_timer),
    limits_(settings.limits), clock_(clock) {
    escrow_.limit_users(settings.users);
    for (const Address& peer : escrow_.peers())
        admission_.entered(peer);
}

void ClientBook::follow(Admission::Rules rules, const Limits& limits, uint32_t users) {
    admission_.follow(std::move(rules), escrow_.peers());
    limits_ = limits;
    escrow_.limit_users(users);
    room_freed_ = true; // there may be room where there was none
}

std::optional<Refusal> ClientBook::refusal(const Address& peer) const {
    if (const auto refusal = admission_.refusal(peer))
        return refusal;
    return escrow_.full() ? std::optional(Refusal::table_full) : std::nullopt;
}

ClientId ClientBook::take_in(const Newcomers::Arrival& arrival, EntryId entry) {
    const ClientId client = escrow_.admit(
        arrival.newcomer, arrival.peer, entry, counters_.one_more_accepted(), unix_milliseconds());
    if (arrival.newcomer.source == 0)
        admission_.entered(arrival.peer);
    return client;
}

void ClientBook::turn_away(const Newcomers::Arrival& arrival, Refusal why) {
    const LingeringPlace lingering = lingering_close_.plan(
        arrival.newcomer.socket, row_of(why).line_to_peer, LingeringClose::Connection::newcomer);
    const Count count = counters_.one_more(why);
    transitions_.make({.kind = static_cast<uint32_t>(RedoKind::turn_away),
        .socket = lingering.record.socket,
        .counter = count.counter,
        .newcomer = arrival.newcomer.place,
        .counter_value = count.value,
        .lingering_place = lingering.place,
        .lingering = lingering.record});
    tell_turned_away(arrival.peer, why);
    lingering_close_.begin(lingering);
}

void ClientBook::tell_turned_away(const Address& peer, Refusal why) {
    if (row_of(why).log_rate != LogRate::seldom)
        return events::turned_away(peer, why, 0);
    if (const auto untold = seldom_[static_cast<size_t>(why)].tell(clock_.now()))
        events::turned_away(peer, why, *untold);
}

void ClientBook::note_attached(ClientId client, HeldClient& held) {
    if (held.mark_joined())
        events::joined(client, held.peer(), held.role(), held.entry());
}

void ClientBook::note_throttled(ClientId client, const HeldClient& held) {
    if (held.throttled())
        return;
    escrow_.mark_throttled(client, counters_.one_more_throttled());
    events::throttled(client, limits_.max_rate_bytes);
}

// Before the client is released: if this master dies in between, the next one finds the client, and
// notes it again. Noted as well where no place is known: the word of the place may be unread yet.
void ClientBook::note_relayed(const HeldClient& source, uint64_t bytes) const {
    SourceRecord& place = ledger_.places()[source.source() - 1U];
    place.relayed = bytes;
    if (load_acquire(place.state) != static_cast<uint32_t>(PlaceState::none))
        store_release(place.state, static_cast<uint32_t>(PlaceState::left));
}

// A worker knows of a kick alone.
Departure ClientBook::as_it_is(const Departure& told, const HeldClient& held) {
    if (told.reason != LeaveReason::kicked)
        return told;
    return held.let_go() ? Departure{.reason = LeaveReason::source_removed} : told;
}

// A client that gets a last line may begin to send at this very moment, so its connection is closed
// as a refused newcomer's is.
void ClientBook::release_client(ClientId client, const Departure& told) {
    const HeldClient& held = *escrow_.find(client);
    const Departure why = as_it_is(told, held);
    const Count count = counters_.one_more(why);
    const Traffic traffic = traffic_of(users_[client.slot], 0);
    const std::string_view line = row_of(why).line_to_peer;
    if (held.is_source())
        note_relayed(held, traffic.in);
    else
        admission_.left(held.peer());
    if (line.empty()) {
        escrow_.release(client, count, traffic);
        events::left(client, why, limits_.idle_timeout);
    } else {
        const LingeringPlace lingering =
            lingering_close_.plan(held.socket(), line, LingeringClose::Connection::client);
        escrow_.dismiss(client, lingering, count, traffic);
        events::left(client, why, limits_.idle_timeout);
        lingering_close_.begin(lingering);
    }
    room_freed_ = true;
}

} // namespace chatserv
