#include "master/clients/client_book.h"

#include "master/clients/client_events.h"

#include <string_view>

namespace chatserv {

std::optional<Refusal> ClientBook::refusal(const Address& peer) const {
    if (const auto refusal = admission_.refusal(peer))
        return refusal;
    return escrow_.full() ? std::optional(Refusal::table_full) : std::nullopt;
}

ClientId ClientBook::take_in(Listener::Accepted newcomer, EntryId entry) {
    admission_.entered(newcomer.peer);
    counters_.count_accepted();
    return escrow_.admit(std::move(newcomer.socket), newcomer.peer, entry);
}

void ClientBook::turn_away(Listener::Accepted newcomer, Refusal why) {
    counters_.count(why);
    events::turned_away(newcomer.peer, why);
    lingering_close_.send_and_close(std::move(newcomer.socket), row_of(why).line_to_peer);
}

void ClientBook::note_attached(ClientId client, HeldClient& held) {
    if (held.mark_joined())
        events::joined(client, held.peer(), held.entry());
}

void ClientBook::note_throttled(ClientId client, HeldClient& held) {
    if (!held.note_throttled())
        return;
    counters_.count_throttled();
    events::throttled(client, limits_.max_rate_bytes);
}

// The slot is freed before the connection is closed. A client that gets a last line may begin to
// send at this very moment, so its connection is closed as a refused newcomer's is.
void ClientBook::release_client(ClientId client, const Departure& why) {
    events::left(client, why, limits_.idle_timeout);
    admission_.left(escrow_.find(client)->peer());
    counters_.count(why);
    const std::string_view line = row_of(why).line_to_peer;
    if (line.empty())
        escrow_.release(client);
    else
        lingering_close_.send_and_close(escrow_.take(client), line);
    room_freed_ = true;
}

} // namespace chatserv
