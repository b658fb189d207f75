#include "master/clients/newcomers.h"

#include "master/ledger/master_point.h"
#include "master/ledger/noted_address.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/errors.h"
#include "shared/system/fd.h"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace chatserv {

namespace {

// Some systems inherit it from the listen socket, others do not. The socket has no other flag of
// this kind, so they need not be asked for: fcntl(2) F_SETFL.
void set_accepted_nonblocking(int socket) {
    if (::fcntl(socket, F_SETFL, O_NONBLOCK) == -1)
        throw_errno("fcntl(F_SETFL)");
}

} // namespace

std::optional<Newcomers::Arrival> Newcomers::accept(const Listener& listener) {
    for (;;) {
        const int socket = listener.accept();
        if (socket == -1)
            return std::nullopt;
        master_point(MasterPoint::accepted); // MW1
        const Newcomer newcomer = note(socket, listener.role(), listener.proxied());
        if (auto arrival = prepare(newcomer)) // MW2
            return arrival;
    }
}

// What a former newcomer left of a header in its place is not the new one's.
Newcomer Newcomers::note(int socket, Role role, bool proxied) {
    const auto free = std::ranges::find_if(
        records_, [](const NewcomerRecord& record) { return number_of(record.socket) == -1; });
    if (free == records_.end())
        return {.socket = socket, .place = place_none, .role = role, .proxied = proxied};
    free->role = static_cast<uint8_t>(role);
    free->proxied = proxied ? 1 : 0;
    free->header = static_cast<uint8_t>(HeaderState::expected);
    store_release(free->socket.word, noted(socket).word);
    master_point(MasterPoint::newcomer_noted);
    return {.socket = socket,
        .place = static_cast<uint32_t>(free - records_.begin()),
        .role = role,
        .proxied = proxied};
}

std::optional<Newcomers::Arrival> Newcomers::prepare(const Newcomer& newcomer) {
    set_close_on_exec(newcomer.socket, true);
    set_accepted_nonblocking(newcomer.socket);
    const std::optional<Address> peer = Address::of_peer(newcomer.socket);
    if (!peer) {
        drop(newcomer);
        return std::nullopt;
    }
    master_point(MasterPoint::newcomer_ready);
    Arrival arrival{.newcomer = newcomer, .peer = peer->unmapped()};
    arrival.newcomer.by_path = peer->is_unix();
    return arrival;
}

bool Newcomers::take_header(const Arrival& arrival, size_t header_bytes) {
    const uint32_t place = arrival.newcomer.place;
    return place != place_none &&
           chatserv::take_header(records_[place], header_bytes, arrival.peer, keep_account_);
}

InheritedHeader Newcomers::settle_header(Arrival& arrival) {
    if (arrival.newcomer.place == place_none)
        return InheritedHeader::expected;
    NewcomerRecord& record = records_[arrival.newcomer.place];
    const InheritedHeader found = chatserv::settle_header(record);
    if (found == InheritedHeader::taken)
        arrival.peer = address_of(record.announced);
    return found;
}

void Newcomers::drop(const Newcomer& newcomer) {
    ::close(newcomer.socket);
    master_point(MasterPoint::newcomer_closed);
    if (newcomer.place != place_none)
        store_release(records_[newcomer.place].socket.word, 0);
}

void Newcomers::drop_all() {
    for (const Newcomer& newcomer : all())
        drop(newcomer);
}

std::vector<Newcomer> Newcomers::all() const {
    std::vector<Newcomer> newcomers;
    for (uint32_t place = 0; place < records_.size(); ++place)
        if (const int socket = number_of(records_[place].socket); socket != -1)
            newcomers.push_back({.socket = socket,
                .place = place,
                .role = role_of(records_[place].role),
                .proxied = records_[place].proxied != 0});
    return newcomers;
}

} // namespace chatserv
