// Service, the idle: who has sent nothing for the idle timeout leaves as if it had sent end of
// file, so it gets what the log holds then.
//
// When a client was heard last is in its slot, so that a takeover does not give it more time: by
// the served time of its entry, as nobody is idle for having heard nothing of a server that stood
// still (or was being replaced). It counts as heard when it is attached, and for as long as it is
// not read: what it has to say may be waiting in its socket.
#include "worker/service.h"

#include "shared/segment/atomic_word.h"

namespace chatserv {

namespace {

uint64_t nanoseconds_of(ServedClock::time_point instant) {
    return static_cast<uint64_t>(instant.time_since_epoch().count());
}

} // namespace

void Service::note_heard(Client& client) {
    store_release(client.slot->heard_ns, nanoseconds_of(clock_.now()));
}

// From when on the client is idle if nothing comes from it. An instant that no worker can have
// stored, as it is still to come, or none at all, is replaced by the present one.
ServedClock::time_point Service::idle_deadline_of(Client& client, ServedClock::time_point now) {
    const uint64_t heard_ns = load_acquire(client.slot->heard_ns);
    const uint64_t now_ns = nanoseconds_of(now);
    if (heard_ns == 0 || heard_ns > now_ns) {
        note_heard(client);
        return now + idle_timeout_;
    }
    return now - std::chrono::nanoseconds(static_cast<int64_t>(now_ns - heard_ns)) + idle_timeout_;
}

void Service::watch_idle(Client& client) {
    if (idle_timeout_.count() != 0)
        idle_.set(client.id, idle_deadline_of(client, clock_.now()));
}

void Service::idle_timer(ServedClock::time_point now) {
    idle_timer_.went_off();
    for (const ClientId id : idle_.take_due(now)) {
        if (is_idle(id, now))
            end(*roster_.find(id), LeaveReason::idle, 0);
        beat(); // very many can be due at once
    }
}

// Only who is overdue by its slot is asked the question that decides: whether there is anything to
// read. A worker that was itself held up, or has just taken over, may not have come to that yet.
bool Service::is_idle(ClientId id, ServedClock::time_point now) {
    const auto is_talking = [](const Client* client) {
        return client != nullptr && client->phase == Client::Phase::talking;
    };
    Client* client = roster_.find(id);
    if (!is_talking(client))
        return false;
    if (idle_deadline_of(*client, now) <= now) {
        readable(id); // which can be its end
        client = roster_.find(id);
        if (!is_talking(client))
            return false;
    }
    const auto deadline =
        client->read_held() || stop_reading_ ? now + idle_timeout_ : idle_deadline_of(*client, now);
    if (deadline > now)
        idle_.set(id, deadline);
    return deadline <= now;
}

} // namespace chatserv
