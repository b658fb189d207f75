#include "master/clients/acceptor.h"

#include "master/clients/client_events.h"
#include "master/clients/keepalive.h"
#include "master/start/descriptor_limit.h"
#include "shared/system/errors.h"

#include <cerrno>
#include <fmt/core.h>

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
std::optional<Listener::Accepted> accept_one(const Listener& listener, const Escrow& escrow) {
    if (!escrow.full() && !has_descriptors_for_clients(listener.fd())) {
        errno = EMFILE;
        return std::nullopt;
    }
    return listener.accept();
}

// The netcat command by which a user of this machine joins a server that listens on `address`, as
// Address::text() has it. An address that stands for all of the machine's is replaced by loopback.
std::string netcat_command(const std::string& address) {
    const size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host == "0.0.0.0")
        host = "127.0.0.1";
    else if (host == "[::]")
        host = "::1";
    else if (host.starts_with('['))
        host = host.substr(1, host.size() - 2);
    return fmt::format("nc {} {}", host, address.substr(colon + 1));
}

} // namespace

Acceptor::Acceptor(EventQueue& events, ServedClock& clock, std::vector<Listener> listeners,
    Tag listener_tag, uint32_t keepalive_seconds) :
    events_(events),
    clock_(clock), listeners_(std::move(listeners)), listener_tag_(listener_tag),
    keepalive_seconds_(keepalive_seconds) {}

void Acceptor::start() {
    started_ = true;
    for (uint32_t index = 0; index < listeners_.size(); ++index) {
        require(events_.watch_readable(listeners_[index].fd(), tag_of(index)),
            "watching a listen socket");
        events::listening(listeners_[index]);
    }
    events::how_to_join(netcat_command(listeners_.front().address().text()));
}

void Acceptor::stop() {
    started_ = false;
    listeners_.clear();
    pause_.reset();
}

std::vector<Acceptor::Admitted> Acceptor::accept(
    uint32_t listener, ClientBook& clients, const ChooseEntry& choose_entry) {
    std::vector<Admitted> admitted;
    if (started_ && listener < listeners_.size())
        (void)accept_from(listeners_[listener], clients, choose_entry, admitted);
    return admitted;
}

// False where a connection may be waiting that cannot be accepted now: then accepting is paused.
bool Acceptor::accept_from(const Listener& listener, ClientBook& clients,
    const ChooseEntry& choose_entry, std::vector<Admitted>& admitted) {
    for (int count = 0; count < accept_batch; ++count) {
        if (auto newcomer = accept_one(listener, clients.escrow())) {
            if (const auto refusal = clients.refusal(newcomer->peer)) {
                clients.turn_away(std::move(*newcomer), *refusal);
                continue;
            }
            if (keepalive_seconds_ != 0)
                keep_alive(newcomer->socket.get(), keepalive_seconds_);
            const EntryId entry = choose_entry();
            admitted.push_back(
                {.client = clients.take_in(std::move(*newcomer), entry), .entry = entry});
            continue;
        }
        const int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return true;
        // Connections on their last line have less need of a descriptor than a newcomer.
        if (is_shortage(error) && clients.lingering_close().close_oldest())
            continue;
        // Whether another connection waits is known only once another event says so.
        if (count > 0 && !pause_)
            return true;
        pause(error, clients.counters());
        return false;
    }
    return true;
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
    for (uint32_t index = 0; index < listeners_.size(); ++index)
        events_.pause_readable(listeners_[index].fd(), tag_of(index));
}

std::vector<Acceptor::Admitted> Acceptor::try_again(
    ClientBook& clients, const ChooseEntry& choose_entry) {
    std::vector<Admitted> admitted;
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
    for (uint32_t index = 0; index < listeners_.size(); ++index)
        (void)events_.resume_readable(listeners_[index].fd(), tag_of(index));
}

void Acceptor::room_freed() {
    if (pause_)
        pause_->retry_at = {};
}

std::optional<Acceptor::Clock::time_point> Acceptor::next_try() const {
    return pause_ ? std::optional(pause_->retry_at) : std::nullopt;
}

} // namespace chatserv
