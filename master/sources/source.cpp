#include "master/sources/source.h"

#include "master/clients/traffic.h"
#include "master/ledger/master_point.h"
#include "master/sources/source_events.h"
#include "shared/segment/atomic_word.h"

#include <algorithm>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

namespace chatserv {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// Bytes that have come and were not read: the log has no room, or the server has stood still.
bool has_unread(int socket) {
    int bytes = 0;
    return ::ioctl(socket, FIONREAD, &bytes) == 0 && bytes > 0;
}

} // namespace

const char* name_of(Source::State state) {
    switch (state) {
    case Source::State::waiting:
        return "waiting";
    case Source::State::trying:
        return "trying";
    case Source::State::connected:
        return "connected";
    case Source::State::over:
        break;
    }
    return "over";
}

milliseconds Source::wait_from(Clock::time_point now) const {
    return std::max(milliseconds(0), duration_cast<milliseconds>(next_try_ - now));
}

// The connection has the silence and the greeting of its try, whatever a reload changes meanwhile,
// also under the next master.
void Source::try_now(const SourceProcess::Task& task, Clock::time_point now) {
    store_release(record_.silence_ms, static_cast<uint32_t>(task.options.source_silence.count()));
    since_ = now;
    state_ = State::trying;
    error_.clear();
    const std::string refusal = process_.start(task);
    if (refusal.empty())
        return;
    error_ = refusal;
    wait(milliseconds(0), now);
}

void Source::note_connected(ClientId client, Clock::time_point now) {
    resume(client, now);
    events::source_connected(address_, client);
}

void Source::resume(ClientId client, Clock::time_point now) {
    state_ = State::connected;
    client_ = client;
    since_ = heard_at_ = now;
    heard_bytes_ = 0;
    silence_ = milliseconds(load_acquire(record_.silence_ms));
    next_listen_ = now + silence_ / 4;
    error_.clear();
}

void Source::let_go() {
    is_wanted_ = false;
    if (state_ == State::trying)
        process_.end();
}

std::optional<ClientId> Source::take_client_to_end() {
    if (is_wanted_ || !client_ || std::exchange(is_client_ended_, true))
        return std::nullopt;
    return client_;
}

void Source::wait(milliseconds lasted, Clock::time_point now) {
    client_.reset();
    since_ = now;
    if (is_over_) {
        state_ = State::over;
        is_over_news_ = true;
        return events::source_over(address_);
    }
    state_ = State::waiting;
    const double random = std::uniform_real_distribution<>(0, 1)(random_);
    const milliseconds pause = pause_.next(lasted, random);
    next_try_ = now + pause;
    if (is_made_) // otherwise there is no next try
        events::source_waits(address_, error_, pause);
}

// A source that is only written to has no end of file that would end it, so the connection is shut
// down for it. The relay sees the end of any other.
void Source::note_exit(ClientBook& clients, Clock::time_point now) {
    const std::string how = process_.bury();
    if (state_ == State::trying) {
        if (error_.empty() && !is_over_)
            error_ = "its process ended: " + how;
        return wait(milliseconds(0), now);
    }
    if (state_ != State::connected || address_.kind == SourceAddress::Kind::tcp ||
        address_.is_heard())
        return;
    if (const HeldClient* const held = clients.escrow().find(*client_))
        ::shutdown(held->socket(), SHUT_RDWR);
}

void Source::look(
    ClientBook& clients, const Segment& segment, bool is_made, Clock::time_point now) {
    is_made_ = is_made;
    if (const auto news = drops_.take(now))
        events::source_dropped(address_, news->datagrams,
            {.total = news->all.total - load_acquire(record_.dropped_before),
                .why = news->all.why});
    if (state_ == State::trying && now >= since_ + trying_max) {
        error_ = "the try took too long";
        process_.end();
        return;
    }
    if (state_ != State::connected) {
        if (state_ != State::trying && now >= ending_by_)
            process_.end();
        return;
    }
    if (clients.escrow().find(*client_) == nullptr) {
        let_process_end(now);
        if (!is_wanted_)
            master_point(MasterPoint::source_ended);
        if (error_.empty())
            error_ = "its connection has ended";
        return wait(duration_cast<milliseconds>(now - since_), now);
    }
    if (may_fall_silent() && now >= next_listen_)
        look_for_silence(clients, segment, now);
}

// The worker reads the end of file that shutdown(2) makes, behind everything that has come: the
// client ends as it does when its peer ends it. What a worker says of a client's bytes decides
// nothing but how soon its connection is made again.
void Source::look_for_silence(ClientBook& clients, const Segment& segment, Clock::time_point now) {
    const HeldClient& held = *clients.escrow().find(*client_);
    const uint64_t bytes = traffic_of(segment.user_table()[index_of(client_->slot)], 0).in;
    if (bytes != heard_bytes_ || has_unread(held.socket()))
        heard_at_ = now;
    heard_bytes_ = bytes;
    next_listen_ =
        std::max(now + milliseconds(1), std::min(now + silence_ / 4, heard_at_ + silence_));
    if (now < heard_at_ + silence_)
        return;
    error_ = silent_for(silence_);
    next_listen_ = now + silence_;
    ::shutdown(held.socket(), SHUT_RD);
}

void Source::note_drops(DatagramDrops drops) {
    chatserv::note_drops(record_, drops);
    drops_.note(std::move(drops));
}

std::optional<Source::Clock::time_point> Source::next_look() const {
    const auto step = next_step();
    const auto news = drops_.next();
    return step && news ? std::min(step, news) : step ? step : news;
}

// Of what the state asks for.
std::optional<Source::Clock::time_point> Source::next_step() const {
    if (is_gone() || (!is_wanted_ && client_ && !is_client_ended_))
        return Clock::time_point{};
    switch (state_) {
    case State::trying:
        return since_ + trying_max;
    case State::connected:
        return may_fall_silent() ? std::optional(next_listen_) : std::nullopt;
    case State::waiting:
        if (process_.pid() == 0)
            return is_made_ ? std::optional(next_try_) : std::nullopt;
        break;
    case State::over:
        break;
    }
    return process_.pid() == 0 ? std::nullopt : std::optional(ending_by_);
}

} // namespace chatserv
