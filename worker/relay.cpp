#include "worker/relay.h"

#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

namespace {

constexpr uint32_t deliveries_per_beat = 64;

SocketFilters::Telling telling_for(const Segment& segment) {
    return segment.header().framing.framing == Framing::line ? SocketFilters::Telling::when_new
                                                             : SocketFilters::Telling::while_unread;
}

} // namespace

Relay::Relay(const Segment& segment, EntryId entry, EventQueue& events, const Doorbells& doorbells,
    Heartbeat& heartbeat, SocketAccount account, const RelaySettings& settings) :
    entry_(entry),
    log_control_(&segment.log_control()),
    outbound_control_(segment.joined() ? &segment.outbound_control() : nullptr),
    room_(segment.joined() ? &segment.room() : nullptr),
    clock_(segment.worker_table()[index_of(entry)].served,
        ServedClock::allowance_for(shortest_limit(settings))),
    pulse_(heartbeat, clock_), pass_(segment, entry, doorbells),
    filters_(events, telling_for(segment)), publisher_(segment, entry), delivery_(segment, entry),
    room_watch_(events, clock_, settings), rate_limiter_(events, settings.max_rate_bytes),
    idle_watch_(events, clock_, settings), notices_(roster_, delivery_, rate_limiter_),
    reading_(filters_, publisher_, rate_limiter_, idle_watch_),
    learning_(segment, entry, doorbells),
    attaching_(segment, entry, doorbells, learning_, idle_watch_, pulse_, settings),
    resuming_(segment, entry, events, doorbells), in_doubt_(segment, entry, account),
    closing_(segment, events, filters_, roster_),
    handing_over_(segment, entry, filters_, roster_, room_watch_, idle_watch_, pulse_),
    untaken_closed_(UserTable(segment), entry) {
    publisher_.ingest().follow(settings.slow_policy);
}

// The rate comes last, as a client that is read again can leave.
void Relay::follow(const RelaySettings& settings) {
    clock_.measure(shortest_limit(settings));
    publisher_.ingest().follow(settings.slow_policy);
    room_watch_.follow(settings, roster_);
    attaching_.follow(settings);
    if (idle_watch_.follow(settings))
        roster_.for_each([&](const Client& client) {
            if (client.phase == Client::Phase::talking)
                idle_watch_.watch(client);
        });
    for (const ClientId id : rate_limiter_.follow(settings.max_rate_bytes))
        resume_reading(id, Client::too_fast);
    pass_.run_again();
}

void Relay::settle() {
    pass_.run(*this);
    for (Client* const client : notices_.send(pass_.state().delivered_head))
        wait_for_write(*client, false);
    forget_closed();
    // Here, since a timer that the system refused has to be asked for again.
    rate_limiter_.arm_timer();
    idle_watch_.arm_timer();
    resuming_.arm_timer();
}

std::chrono::nanoseconds Relay::time_to_sleep(
    const Doorbell& doorbell, std::chrono::nanoseconds longest) {
    // Otherwise all other workers would wait for this one to release the lock.
    for (const LogControl* const control : {log_control_, outbound_control_})
        invariant(control == nullptr || !LogLock::names(*control, entry_),
            "the log's lock named a worker that does not hold it");
    std::chrono::nanoseconds time = std::chrono::nanoseconds::zero();
    if (pass_.may_sleep(*this, doorbell)) {
        time = std::min({longest, idle_watch_.sleep_max(), room_watch_.sleep_max(roster_)});
    }
    clock_.about_to_sleep(time);
    return time;
}

// --- attaching ---------------------------------------------------------------------------------

bool Relay::attach_newcomers() {
    if (!learning_.catch_up(roster_))
        return false;
    if (attaching_.empty())
        return place_resuming();
    const std::optional<ClientId> doubtful = in_doubt_.find();
    if (doubtful && !attaching_.has(*doubtful))
        return true; // it has to be among the first: until then nothing can be published
    const std::optional<std::vector<Client*>> present = attaching_.attach(roster_);
    if (!present)
        return false;
    for (Client* const client : *present)
        begin_to_serve(*client);
    if (doubtful)
        settle_doubt(*doubtful);
    room_watch_.arm_timer();
    return place_resuming();
}

void Relay::begin_to_serve(Client& client) {
    const bool waits = Resuming::waits(client);
    client.answer = Resuming::answer_due(client);
    if ((client.hears() && !waits) || client.is_closing())
        delivery_.add_fresh(client.id);
    else
        roster_.rest(client);
    if (client.is_heard() && !client.is_closing())
        publisher_.ingest().introduce(client);
    if (cursor_of(*client.slot).log_offset < pass_.state().seen_room_wanted) {
        room_watch_.add_blocking(client);
        pass_.note_blocked_room();
    }
    if (client.phase == Client::Phase::closing) {
        Closing::carry_on(client);
        room_watch_.add_closing(client);
    } else if (const int error =
                   waits ? filters_.await_first_line(client) : filters_.start_reading(client)) {
        closing_.end(client, LeaveReason::read_error, error);
    } else if (const auto reason = closing_.finishing()) {
        closing_.end(client, *reason, 0);
    } else if (waits) {
        resuming_.add(client.id);
    } else {
        idle_watch_.watch(client);
    }
}

// --- reading -----------------------------------------------------------------------------------

void Relay::readable(ClientId id, bool at_end) {
    Client* client = roster_.find(id);
    if (client == nullptr)
        return;
    if (client->phase == Client::Phase::lingering) {
        closing_.discard_input(*client);
        return;
    }
    if (client->phase != Client::Phase::talking || client->is_paused())
        return;
    if (publisher_.ingest().full()) {
        pass_.publish_and_deliver(*this);
        client = roster_.find(id); // it can have left meanwhile
        if (client == nullptr)
            return;
    }
    if (const auto end =
            Resuming::waits(*client) ? resuming_.look(*client) : reading_.read(*client, at_end))
        closing_.end(*client, end->reason, end->error);
}

void Relay::resume_reading(ClientId id, Client::PauseReason reason) {
    Client* const client = roster_.find(id);
    if (client == nullptr || client->phase != Client::Phase::talking)
        return;
    if (const auto end = reading_.resume(*client, reason))
        closing_.end(*client, end->reason, end->error);
}

std::optional<Ingest::Publish> Relay::publish() {
    if (in_doubt_.any())
        return std::nullopt;
    return publisher_.publish(roster_);
}

void Relay::everything_is_published() {
    for (const ClientId id : publisher_.take_waiting())
        resume_reading(id, Client::no_room);
    const std::vector<Client*> closing = closing_.close_ended();
    for (Client* const client : closing) {
        roster_.wake(*client);
        room_watch_.add_closing(*client);
    }
    if (!closing.empty())
        room_watch_.arm_timer();
    for (const ClientId id : handing_over_.let_go())
        forget(id);
}

// --- delivering --------------------------------------------------------------------------------

void Relay::deliver(uint64_t head, bool to_all) {
    const std::vector<ClientId> fresh = delivery_.take_fresh();
    if (!to_all) {
        for (const ClientId id : fresh)
            if (Client* const client = roster_.find(id))
                deliver_to(*client, head);
        return;
    }
    uint32_t delivered = 0;
    roster_.for_each_flowing([&](Client& client) {
        deliver_to(client, head);
        if (++delivered % deliveries_per_beat == 0)
            pulse_.beat();
    });
}

void Relay::deliver_to(Client& client, uint64_t head) {
    const FanOut::Delivery delivery = delivery_.deliver(client, head);
    switch (delivery.kind) {
    case FanOut::Delivery::Kind::complete:
        RoomWatch::caught_up(client);
        if (client.phase == Client::Phase::closing && Deliveries::has_all(client))
            closing_.delivered_all(client);
        break;
    case FanOut::Delivery::Kind::more:
        pass_.run_again();
        break;
    case FanOut::Delivery::Kind::blocked:
        wait_for_write(client, false);
        break;
    case FanOut::Delivery::Kind::no_memory: // the filter, added anew, tells of a socket with room
        wait_for_write(client, true);
        break;
    case FanOut::Delivery::Kind::failed:
        closing_.drop(
            client, Closing::reason_of_failed_write(client, delivery.error), delivery.error);
        break;
    }
}

void Relay::wait_for_write(Client& client, bool anew) {
    roster_.block(client);
    room_watch_.fell_behind(client);
    if (const int error = filters_.wait_for_write(client, anew))
        closing_.drop(client, LeaveReason::write_error, error);
}

void Relay::writable(ClientId id) {
    Client* const client = roster_.find(id);
    if (client == nullptr)
        return;
    if (!client->write_blocked) {
        filters_.end_waiting_for_write(*client);
        return;
    }
    roster_.unblock(*client);
    pass_.run_again();
}

// --- timers ------------------------------------------------------------------------------------

void Relay::timer(Timer timer, const Instants& now) {
    switch (timer) {
    case Timer::room:
        room_timer();
        break;
    case Timer::linger:
        closing_.linger_timer();
        break;
    case Timer::rate:
        for (const ClientId id : rate_limiter_.take_due(now.steady))
            resume_reading(id, Client::too_fast);
        break;
    case Timer::idle:
        idle_timer(now.served);
        break;
    case Timer::resume:
        resume_timer(now.steady);
        break;
    }
}

// What can be delivered is delivered first: a worker that was held up itself, for a time so short
// that served time does not know of it, must not take its own absence for its clients' stall.
void Relay::room_timer() {
    pass_.run_again();
    settle();
    for (const RoomWatch::Overdue& overdue : room_watch_.take_overdue(roster_))
        closing_.drop(*roster_.find(overdue.client), overdue.reason, 0);
    forget_closed();
    room_watch_.arm_timer();
}

void Relay::idle_timer(ServedClock::time_point now) {
    for (const ClientId id : idle_watch_.take_due(now)) {
        if (is_idle(id, now))
            closing_.end(*roster_.find(id), LeaveReason::idle, 0);
        pulse_.beat(); // very many clients can be due at once
    }
}

bool Relay::is_idle(ClientId id, ServedClock::time_point now) {
    const Client* client = roster_.find(id);
    if (client != nullptr && idle_watch_.is_overdue(*client, now)) {
        readable(id); // which can be its end
        client = roster_.find(id);
    }
    if (client == nullptr || client->phase != Client::Phase::talking)
        return false;
    const bool is_read = !client->is_paused() && !filters_.stopped_reading();
    return idle_watch_.is_idle(*client, is_read, now);
}

} // namespace chatserv
