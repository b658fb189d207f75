// Master: newcomers. Whom it takes in, what it tells the others, and what it does when it has no
// descriptors for them; and what follows when one leaves.
#include "master/clients/keepalive.h"
#include "master/master.h"
#include "master/start/descriptor_limit.h"
#include "shared/system/logging.h"

#include <cerrno>
#include <cstring>
#include <fmt/core.h>

namespace chatserv {

namespace {

using Clock = std::chrono::steady_clock;

// So many connections are accepted before other events are looked at again.
constexpr int accept_batch = 256;
constexpr std::chrono::seconds retry_pause{1};

struct Words {
    const char* event;
    const char* to_log;
    const char* to_peer;
};

Words words_for(Refusal why) {
    switch (why) {
    case Refusal::not_allowed:
        return {"not_allowed", "not allowed", "your address is not allowed here!\n"};
    case Refusal::address_full:
        return {"address_full", "too many from one address",
            "too many connections from your address!\n"};
    case Refusal::table_full:
        break;
    }
    return {"table_full", "table full", "too many users!\n"};
}

bool is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

} // namespace

// False where somebody may be waiting who cannot be accepted now: then accepting pauses.
bool Master::accept_clients(const Listener& listener) {
    for (int count = 0; count < accept_batch; ++count) {
        auto accepted = accept_one(listener);
        if (accepted) {
            const auto why = admission_.refusal(accepted->peer);
            if (!why && !escrow_.full())
                take_in(std::move(*accepted));
            else
                turn_away(std::move(*accepted), why.value_or(Refusal::table_full));
            continue;
        }
        const int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return true;
        // Those who were turned away only stay to hear why.
        if (is_shortage(error) && turned_away_.give_up_oldest())
            continue;
        // Whether anybody else waits is known only once another event says so.
        if (count > 0 && !accept_pause_)
            return true;
        pause_accepting(error);
        return false;
    }
    return true;
}

// The last descriptors are not for clients. Where there is no slot either, whoever comes does not
// keep the one that it gets.
std::optional<Listener::Accepted> Master::accept_one(const Listener& listener) const {
    if (!escrow_.full() && !has_descriptors_for_clients(listener.fd())) {
        errno = EMFILE;
        return std::nullopt;
    }
    return listener.accept();
}

void Master::take_in(Listener::Accepted newcomer) {
    if (keepalive_seconds_ != 0)
        keep_alive(newcomer.socket.get(), keepalive_seconds_);
    admission_.entered(newcomer.peer);
    counters_.count_accepted();
    const EntryId entry = entry_for_a_newcomer();
    outbox_[index_of(entry)].push_back(
        escrow_.admit(std::move(newcomer.socket), newcomer.peer, entry));
}

void Master::turn_away(Listener::Accepted newcomer, Refusal why) {
    const Words words = words_for(why);
    const std::string peer = newcomer.peer.text();
    counters_.count(why);
    log_info(
        words.event, fmt::format("{}: {} turned away", words.to_log, peer), {{"address", peer}});
    say_farewell(std::move(newcomer.socket), words.to_peer);
}

// Whoever hears it may linger, but not on the last descriptors.
void Master::say_farewell(UniqueFd socket, std::string_view line) {
    if (!has_descriptors_for_clients(socket.get()))
        turned_away_.give_up_oldest();
    turned_away_.turn_away(std::move(socket), line);
}

// With the fewest clients (P3). An entry that nobody serves for now is the last choice, but one:
// its clients wait for the next worker.
EntryId Master::entry_for_a_newcomer() const {
    EntryId best{0};
    for (uint32_t index = 1; index < outbox_.size(); ++index) {
        const EntryId entry{index};
        const bool better_manned = pool_.manned(entry) && !pool_.manned(best);
        const bool as_well_manned = pool_.manned(entry) == pool_.manned(best);
        if (better_manned ||
            (as_well_manned && escrow_.clients_of(entry) < escrow_.clients_of(best)))
            best = entry;
    }
    return best;
}

// The connections stay in the kernel's queue; to ask for them again at once would be to spin.
void Master::pause_accepting(int error) {
    const Clock::time_point now = Clock::now();
    if (accept_pause_) {
        accept_pause_->retry_at = now + retry_pause;
        return;
    }
    accept_pause_ = {.begun = clock_.now(now), .retry_at = now + retry_pause};
    counters_.count_accept_pause();
    log_warning("accept_paused",
        fmt::format("cannot accept: {}; whoever comes waits until a user leaves or there is room "
                    "again",
            std::strerror(error)));
    for (uint32_t index = 0; index < listeners_.size(); ++index)
        events_.pause_readable(listeners_[index].fd(), {MasterEvent::listener, index});
}

void Master::try_to_accept_again() {
    if (!accept_pause_ || accept_pause_->retry_at > Clock::now())
        return;
    for (const Listener& listener : listeners_)
        if (!accept_clients(listener))
            return;
    const std::chrono::duration<double> paused = clock_.now() - accept_pause_->begun;
    accept_pause_.reset();
    log_info("accept_resumed", fmt::format("accepting again, after {:.1f} s", paused.count()),
        {{"seconds", paused.count()}});
    for (uint32_t index = 0; index < listeners_.size(); ++index)
        (void)events_.resume_readable(listeners_[index].fd(), {MasterEvent::listener, index});
}

// Its slot is free and its descriptor is back: whoever waits for one need wait no longer.
void Master::let_go(ClientId client, Departure why) {
    admission_.left(escrow_.find(client)->peer);
    counters_.count(why);
    // Those who were idle hear why in the same way as those who are not let in, and may begin to
    // talk at this very moment.
    if (why == Departure::idle)
        say_farewell(escrow_.take(client), "idle for too long!\n");
    else
        escrow_.release(client);
    if (accept_pause_)
        accept_pause_->retry_at = {};
}

} // namespace chatserv
