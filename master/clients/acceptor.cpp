#include "master/clients/acceptor.h"

#include "master/clients/client_events.h"
#include "master/clients/keepalive.h"
#include "master/clients/netcat_command.h"
#include "master/clients/socket_option.h"
#include "master/start/descriptor_limit.h"
#include "shared/system/errors.h"
#include "shared/system/kernel_account.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace chatserv {

namespace {

// How many connections are accepted before other events are looked at again.
constexpr int accept_batch = 256;
constexpr std::chrono::seconds retry_pause{1};

bool is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// The next connection; otherwise nothing, and errno says why. While there are free slots, the last
// descriptors are not given to newcomers. When there are none, a newcomer is turned away and gives
// its descriptor back.
std::optional<Newcomers::Arrival> accept_one(const Listener& listener, ClientBook& clients) {
    if (!clients.escrow().full() && !has_descriptors_for_clients(listener.fd())) {
        errno = EMFILE;
        return std::nullopt;
    }
    return clients.newcomers().accept(listener);
}

// For a peer on this machine. Left to itself, the kernel buffers megabytes for each client. All
// clients together then have more under way than the processor's caches hold, and each byte is
// fetched from memory several times: with few listeners that is a quarter of what is relayed. A
// peer without a network in between needs no large buffer, and what it has not taken yet lies in
// the log all the same. Elsewhere the kernel's choice is right, since it knows the round trip.
void limit_send_buffer(int fd) {
    set_option_if_possible(fd, SOL_SOCKET, SO_SNDBUF, 128 * 1024);
}

bool is_unix(const Listener& listener) {
    return listener.address().is_unix();
}

} // namespace

Acceptor::Acceptor(EventQueue& events, ServedClock& clock, std::vector<Listener>& listeners,
    Tag listener_tag, Tag proxied_tag, uint32_t keepalive_seconds, ProxyTerms proxy_terms) :
    events_(events),
    clock_(clock), listeners_(listeners), listener_tag_(listener_tag),
    keepalive_seconds_(keepalive_seconds),
    proxied_(events, clock, proxied_tag, std::move(proxy_terms)) {}

void Acceptor::start() {
    started_ = true;
    for (const Listener& listener : listeners_)
        require(watch(listener), "watching a listen socket");
}

void Acceptor::announce() const {
    for (const Listener& listener : listeners_)
        events::listening(listener);
    const auto first_of_unix = std::ranges::find_if(listeners_, is_unix);
    if (first_of_unix != listeners_.end())
        events::unix_account(counts_reads(first_of_unix->fd()));
    if (const auto open = std::ranges::find(listeners_, false, &Listener::proxied);
        open != listeners_.end())
        events::how_to_join(netcat_command(open->address()));
}

void Acceptor::stop(Newcomers& newcomers) {
    started_ = false;
    listeners_.clear();
    pause_.reset();
    proxied_.forget_all();
    newcomers.drop_all();
}

void Acceptor::add(Listener listener) {
    const bool is_first_of_unix = is_unix(listener) && std::ranges::none_of(listeners_, is_unix);
    listeners_.push_back(std::move(listener));
    events::listening(listeners_.back());
    if (is_first_of_unix)
        events::unix_account(counts_reads(listeners_.back().fd()));
}

void Acceptor::note_serves(uint32_t number, const std::string& listen, Role role, bool proxied) {
    for (Listener& listener : listeners_)
        if (listener.number() == number)
            listener.note_serves(listen, role, proxied);
}

// A connection that comes between the last accept(2) and the close is reset by the kernel, as one
// that comes a moment later is refused.
std::vector<Acceptor::Admitted> Acceptor::remove(
    uint32_t number, ClientBook& clients, const ChooseEntry& choose_entry) {
    std::vector<Admitted> admitted;
    const auto found = std::ranges::find(listeners_, number, &Listener::number);
    if (found == listeners_.end())
        return admitted;
    if (started_) {
        for (int batch = 0; batch <= SOMAXCONN / accept_batch; ++batch)
            (void)accept_from(*found, clients, choose_entry, admitted);
        unwatch(*found);
    }
    // The service manager may have a copy of it, which would go on listening.
    ::shutdown(found->fd(), SHUT_RDWR);
    events::listens_no_more(*found);
    listeners_.erase(found);
    return admitted;
}

std::vector<Acceptor::Admitted> Acceptor::accept(
    uint32_t number, ClientBook& clients, const ChooseEntry& choose_entry) {
    std::vector<Admitted> admitted;
    const auto found = std::ranges::find(listeners_, number, &Listener::number);
    if (started_ && found != listeners_.end())
        (void)accept_from(*found, clients, choose_entry, admitted);
    return admitted;
}

// False where a connection may be waiting that cannot be accepted now: then accepting is paused.
bool Acceptor::accept_from(const Listener& listener, ClientBook& clients,
    const ChooseEntry& choose_entry, std::vector<Admitted>& admitted) {
    for (int count = 0; count < accept_batch; ++count) {
        if (const auto arrival = accept_one(listener, clients)) {
            begin(*arrival, clients, choose_entry, admitted);
            continue;
        }
        const int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return true;
        // Connections on their last line have less need of a descriptor than a newcomer. So have
        // those whose proxy is silent: the oldest becomes one of these.
        if (is_shortage(error) && clients.lingering_close().close_oldest())
            continue;
        if (const auto oldest = is_shortage(error) ? proxied_.take_oldest() : std::nullopt) {
            judge_announced(*oldest, clients, choose_entry, admitted);
            continue;
        }
        // Whether another connection waits is known only once another event says so.
        if (count > 0 && !pause_)
            return true;
        pause(error, clients.counters());
        return false;
    }
    return true;
}

// Of a proxied newcomer it is not known yet who it is.
void Acceptor::begin(const Newcomers::Arrival& arrival, ClientBook& clients,
    const ChooseEntry& choose_entry, std::vector<Admitted>& admitted) {
    if (!arrival.newcomer.proxied)
        return judge(arrival, clients, choose_entry, admitted);
    tune(arrival);
    if (const auto verdict = proxied_.begin(arrival))
        judge_announced(*verdict, clients, choose_entry, admitted);
    else if (const auto surplus = proxied_.take_late())
        judge_announced(*surplus, clients, choose_entry, admitted);
}

void Acceptor::judge_announced(const ProxiedNewcomers::Verdict& verdict, ClientBook& clients,
    const ChooseEntry& choose_entry, std::vector<Admitted>& admitted) const {
    const Newcomers::Arrival& arrival = verdict.arrival;
    if (verdict.refusal)
        return clients.turn_away(arrival, *verdict.refusal);
    if (clients.newcomers().take_header(arrival, verdict.header_bytes))
        judge(arrival, clients, choose_entry, admitted);
    else
        clients.newcomers().drop(arrival.newcomer);
}

void Acceptor::judge(const Newcomers::Arrival& arrival, ClientBook& clients,
    const ChooseEntry& choose_entry, std::vector<Admitted>& admitted) const {
    if (const auto refusal = clients.refusal(arrival.peer))
        return clients.turn_away(arrival, *refusal);
    admitted.push_back(take_in(arrival, clients, choose_entry));
}

// By the address of the connection itself, which may be a proxy's.
void Acceptor::tune(const Newcomers::Arrival& arrival) const {
    if (arrival.peer.is_loopback())
        limit_send_buffer(arrival.newcomer.socket);
    if (keepalive_seconds_ != 0 && !arrival.peer.is_unix())
        keep_alive(arrival.newcomer.socket, keepalive_seconds_);
}

Acceptor::Admitted Acceptor::take_in(
    const Newcomers::Arrival& arrival, ClientBook& clients, const ChooseEntry& choose_entry) const {
    if (!arrival.newcomer.proxied)
        tune(arrival);
    const EntryId entry = choose_entry();
    return {.client = clients.take_in(arrival, entry), .entry = entry};
}

std::optional<Acceptor::Admitted> Acceptor::admit_source(
    const Newcomer& newcomer, ClientBook& clients, const ChooseEntry& choose_entry) const {
    const auto arrival = clients.newcomers().prepare(newcomer);
    if (!arrival)
        return std::nullopt;
    return take_in(*arrival, clients, choose_entry);
}

std::vector<Acceptor::Admitted> Acceptor::hear(
    const EventQueue::Event& event, ClientBook& clients, const ChooseEntry& choose_entry) {
    std::vector<Admitted> admitted;
    if (const auto verdict = proxied_.handle(event))
        judge_announced(*verdict, clients, choose_entry, admitted);
    return admitted;
}

std::vector<Acceptor::Admitted> Acceptor::judge_inherited(
    ClientBook& clients, const ChooseEntry& choose_entry) {
    std::vector<Admitted> admitted;
    for (const Newcomer& newcomer : clients.newcomers().all())
        if (const auto arrival = clients.newcomers().prepare(newcomer))
            begin_inherited(*arrival, clients, choose_entry, admitted);
    return admitted;
}

// MW17: whoever it is may be known already.
void Acceptor::begin_inherited(Newcomers::Arrival arrival, ClientBook& clients,
    const ChooseEntry& choose_entry, std::vector<Admitted>& admitted) {
    if (arrival.newcomer.proxied)
        tune(arrival);
    switch (clients.newcomers().settle_header(arrival)) {
    case InheritedHeader::expected:
        return begin(arrival, clients, choose_entry, admitted);
    case InheritedHeader::taken:
        return judge(arrival, clients, choose_entry, admitted);
    case InheritedHeader::in_doubt:
        return clients.turn_away(arrival, Refusal::proxy_in_doubt);
    }
}

// The connections stay in the listen queue. The sockets stay readable, so while they were watched
// the master would not sleep.
void Acceptor::pause(int error, Counters& counters) {
    const Clock::time_point now = Clock::now();
    if (pause_) {
        pause_->retry_at = now + retry_pause;
        return;
    }
    pause_ = {.begun = clock_.now(now), .retry_at = now + retry_pause};
    counters.count_accept_pause();
    events::accept_paused(error);
    for (const Listener& listener : listeners_)
        events_.pause_readable(listener.fd(), tag_of(listener));
}

std::vector<Acceptor::Admitted> Acceptor::try_again(
    ClientBook& clients, const ChooseEntry& choose_entry) {
    std::vector<Admitted> admitted;
    while (const auto late = proxied_.take_late())
        judge_announced(*late, clients, choose_entry, admitted);
    if (!pause_ || pause_->retry_at > Clock::now())
        return admitted;
    for (const Listener& listener : listeners_)
        if (!accept_from(listener, clients, choose_entry, admitted))
            return admitted;
    resume();
    return admitted;
}

void Acceptor::resume() {
    events::accept_resumed(clock_.now() - pause_->begun);
    pause_.reset();
    for (const Listener& listener : listeners_)
        (void)events_.resume_readable(listener.fd(), tag_of(listener));
}

void Acceptor::room_freed() {
    if (pause_)
        pause_->retry_at = {};
}

std::optional<Acceptor::Clock::time_point> Acceptor::next_try() const {
    const auto for_proxies = proxied_.next_look();
    if (!pause_ || !for_proxies)
        return pause_ ? std::optional(pause_->retry_at) : for_proxies;
    return std::min(pause_->retry_at, *for_proxies);
}

} // namespace chatserv
