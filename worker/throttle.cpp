// Service, whom it does not read for now: those for whose bytes the log has no room, and those that
// send faster than they may. What they send waits in their sockets, and TCP holds them back; it is
// all read in the end, and the end of file after it. (Once the server stops, nobody is read.)
//
// The rate alone is measured by the steady clock, not by served time: a bucket goes on filling
// while the server stands still, which is what its client could have sent meanwhile.
#include "worker/service.h"

#include "shared/segment/atomic_word.h"

namespace chatserv {

void Service::hold_reading(Client& client, Client::ReadHold why) {
    const bool was_read = !client.read_held();
    client.read_holds |= why;
    if (!was_read || stop_reading_)
        return;
    // A level-triggered filter left enabled would report these bytes for as long as they wait.
    events_.pause_readable(client.fd.get(), tag_of(client.id));
}

// It is read again, unless there is another reason not to.
void Service::release_reading(Client& client, Client::ReadHold why) {
    if (client.phase != Client::Phase::talking)
        return;
    client.read_holds &= ~static_cast<unsigned>(why);
    if (client.read_held() || stop_reading_)
        return;
    if (idle_timeout_.count() != 0)
        note_heard(client); // what it said meanwhile may not be read yet
    const int error = events_.resume_readable(client.fd.get(), tag_of(client.id));
    if (error != 0)
        end(client, LeaveReason::read_error, error);
}

void Service::stop_reading() {
    stop_reading_ = true;
    roster_.for_each([&](Client& client) {
        if (client.phase == Client::Phase::talking && !client.read_held())
            events_.pause_readable(client.fd.get(), tag_of(client.id));
    });
}

// How many bytes of this client may be read now. None where it has used up what it had; then
// something of it waits to be read, and is left there for a while.
size_t Service::allowance_of(Client& client) {
    const size_t bytes = rate_.allowance(client.bucket, RateLimit::Clock::now());
    if (bytes != 0)
        return bytes;
    hold_reading(client, Client::too_fast);
    throttled_.set(client.id, rate_.readable_at(client.bucket));
    if (!client.throttled) {
        client.throttled = true;
        newly_throttled_.push_back(client.id);
        if (load_acquire(client.slot->told_too_fast) == 0) // by a predecessor
            to_tell_.push_back(client.id);
    }
    return 0;
}

// Some bytes of this client were read, by which the limits are measured.
void Service::heard(Client& client, uint64_t bytes) {
    if (rate_.on())
        rate_.take(client.bucket, bytes, RateLimit::Clock::now());
    if (idle_timeout_.count() != 0)
        note_heard(client);
}

void Service::throttle_timer(RateLimit::Clock::time_point now) {
    throttle_timer_.went_off();
    for (const ClientId id : throttled_.take_due(now))
        if (Client* const client = roster_.find(id))
            release_reading(*client, Client::too_fast);
}

// Each is told once, between what it is written of the log: when it has got all that there is. One
// that is behind is told when it has caught up, and one that never does, or that the line does not
// reach for another reason, is not told.
void Service::tell_throttled() {
    std::erase_if(to_tell_, [&](ClientId id) {
        Client* const client = roster_.find(id);
        if (client == nullptr || client->mute ||
            (client->phase != Client::Phase::talking && client->phase != Client::Phase::ended))
            return true;
        if (client->write_blocked || cursor_of(*client->slot).log_offset != delivered_head_)
            return false;
        if (fan_out_.notify(*client, too_fast_line_) != FanOut::Delivery::blocked)
            return true;
        wait_for_write(*client);
        return false;
    });
}

} // namespace chatserv
