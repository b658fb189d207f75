// Service: reading and publishing, writing, and what to sleep for. How a client comes is in
// newcomers.cpp, how it leaves in farewell.cpp, who holds up the others in slow_readers.cpp, who is
// not read for now in throttle.cpp, and who is idle in idle.cpp.
#include "worker/service.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <cerrno>
#include <fmt/core.h>
#include <limits>

namespace chatserv {

namespace {

constexpr uint32_t deliveries_per_beat = 64;

// However many are throttled or idle, they are looked at no more often than this.
constexpr std::chrono::milliseconds throttle_pause{10};
constexpr std::chrono::milliseconds idle_pause{10};

ServedClock::duration shortest_limit(const RelaySettings& settings) {
    const uint32_t idle_timeout_ms = settings.idle_timeout_ms;
    return std::chrono::milliseconds(idle_timeout_ms == 0
                                         ? settings.stall_limit_ms
                                         : std::min(settings.stall_limit_ms, idle_timeout_ms));
}

} // namespace

Service::Service(const Segment& segment, uint32_t entry, EventQueue& events,
    const Doorbells& doorbells, Heartbeat& heartbeat) :
    entry_(entry),
    shared_entry_(&segment.worker_table()[entry]), events_(events), doorbells_(doorbells),
    heartbeat_(heartbeat), stall_limit_(segment.header().settings.stall_limit_ms),
    idle_timeout_(segment.header().settings.idle_timeout_ms),
    clock_(shared_entry_->served,
        ServedClock::allowance_for(shortest_limit(segment.header().settings))),
    users_(segment), log_(segment), log_control_(&segment.log_control()), ingest_(segment, entry),
    fan_out_(segment, entry), stalls_(stall_limit_, segment.header().settings.min_drain_bytes,
                                  segment.header().settings.slow_policy),
    stall_timer_(events, stall_timer_ident, std::chrono::milliseconds(1)),
    rate_(segment.header().settings.max_rate_bytes),
    throttle_timer_(events, throttle_timer_ident, throttle_pause),
    too_fast_line_(fmt::format("you are sending too fast: {} bytes a second are read!\n",
        segment.header().settings.max_rate_bytes)),
    idle_timer_(events, idle_timer_ident, idle_pause), doubt_(operation_in_flight(*shared_entry_)) {
    if (doubt_.operation == Operation::none)
        settled_bytes_ = 0;
}

void Service::receive(ClientId id, UniqueFd fd) {
    newcomers_.push_back({id, std::move(fd)});
}

void Service::settle() {
    waits_for_lock_ = false;
    attach_newcomers();
    publish();
    deliver_to_all();
    watch_room();
    if (!to_tell_.empty())
        tell_throttled();
    // Here, since a timer that could not be had is to be asked for again.
    if (!throttled_.empty())
        throttle_timer_.arm(throttled_.earliest(), RateLimit::Clock::now);
    if (!idle_.empty())
        idle_timer_.arm(idle_.earliest(), [this] { return clock_.now(); });
}

uint32_t Service::wake_reasons() const {
    uint32_t reasons = wake_never;
    if (!roster_.empty())
        reasons |= wake_on_growth;
    if (waits_for_lock_)
        reasons |= wake_on_unlock;
    if (waits_for_room_)
        reasons |= wake_on_room;
    return reasons;
}

bool Service::look_again() {
    // This worker holds no lock now. Everybody else would wait for it to release one.
    invariant(!LogLock::names(*log_control_, entry_),
        "the log's lock named a worker that does not hold it");
    const uint32_t announced = wake_reasons();
    waits_for_lock_ = false;
    attach_newcomers();
    publish();
    // Locked out where there was no room, or no room where it was locked out: nobody has been told
    // what this worker waits for now.
    if ((wake_reasons() & ~announced) != 0)
        return true;
    return has_work() || (!roster_.empty() && (log_.head() != delivered_head_ ||
                                                  log_.room_wanted() != seen_room_wanted_));
}

// --- ingest ------------------------------------------------------------------------------------

void Service::readable(ClientId id) {
    Client* const client = roster_.find(id);
    if (client == nullptr)
        return;
    if (client->phase == Client::Phase::lingering) {
        discard_input(*client);
        return;
    }
    if (client->phase != Client::Phase::talking || client->read_held())
        return;
    const size_t allowance =
        rate_.on() ? allowance_of(*client) : std::numeric_limits<size_t>::max();
    if (allowance == 0)
        return;
    if (ingest_.full()) {
        publish();
        deliver_to_all();
    }
    if (ingest_.full()) {
        hold_reading(*client, Client::no_room);
        held_.push_back(id);
        return;
    }
    const uint64_t read_before = load_acquire(client->slot->bytes_read);
    switch (ingest_.read(*client, allowance)) {
    case Ingest::Read::some:
        heard(*client, load_acquire(client->slot->bytes_read) - read_before);
        break;
    case Ingest::Read::nothing:
        break;
    case Ingest::Read::end_of_file:
        if (client->mute && client->leave_error != EPIPE)
            end(*client, LeaveReason::write_error, client->leave_error);
        else
            end(*client, LeaveReason::end_of_file, 0);
        break;
    case Ingest::Read::failed:
        end(*client, LeaveReason::read_error, errno);
        break;
    }
}

void Service::publish() {
    if (doubt_.operation != Operation::none)
        return;
    const Ingest::Publish result =
        ingest_.publish([&](const ChunkRecord& chunk, const LogRange& range) {
            if (Client* const sender = roster_.find({chunk.slot, chunk.generation}))
                sender->own.add(range);
        });
    waits_for_room_ = result == Ingest::Publish::no_room;
    switch (result) {
    case Ingest::Publish::locked_out:
        waits_for_lock_ = true;
        return;
    case Ingest::Publish::no_room:
        tell_room_wanted();
        return;
    case Ingest::Publish::published:
        crash_point(CrashPoint::not_rung);
        doorbells_.ring(wake_on_growth | wake_on_unlock, entry_);
        break;
    case Ingest::Publish::nothing:
        break;
    }
    after_publishing();
}

// Once for each demand: were it told at every attempt, two workers that both wait would keep each
// other awake.
void Service::tell_room_wanted() {
    const uint64_t wanted = log_.room_wanted();
    const bool news = wanted != told_room_wanted_;
    told_room_wanted_ = wanted;
    doorbells_.ring(news ? wake_on_growth | wake_on_unlock : wake_on_unlock, entry_);
}

// Nothing is staged: those who were held are read again, those who ended can be closed.
void Service::after_publishing() {
    for (const ClientId id : std::exchange(held_, {}))
        if (Client* const client = roster_.find(id))
            release_reading(*client, Client::no_room);
    for (const ClientId id : std::exchange(ended_, {}))
        if (Client* const client = roster_.find(id))
            begin_closing(*client);
}

// --- fan-out -----------------------------------------------------------------------------------

void Service::deliver_to_all() {
    const uint64_t head = log_.head();
    const std::vector<ClientId> fresh = std::exchange(fresh_, {});
    if (head == delivered_head_ && !pass_needed_) {
        for (const ClientId id : fresh)
            if (Client* const client = roster_.find(id))
                deliver_to(*client);
        return;
    }
    delivered_head_ = head;
    pass_needed_ = false;
    uint32_t delivered = 0;
    roster_.for_each_flowing([&](Client& client) {
        deliver_to(client);
        if (++delivered % deliveries_per_beat == 0) // a pass over very many takes its time
            beat();
    });
}

uint64_t Service::target_of(const Client& client) const {
    const bool closing =
        client.phase == Client::Phase::closing || client.phase == Client::Phase::lingering;
    return closing ? client.slot->close_at : delivered_head_;
}

void Service::deliver_to(Client& client) {
    const uint64_t target = target_of(client);
    if (client.mute) {
        skip_to(client, target);
        return;
    }
    switch (fan_out_.deliver(client, target)) {
    case FanOut::Delivery::complete:
        StallWatch::caught_up(client);
        if (client.phase == Client::Phase::closing)
            delivered_all_to_closing(client);
        break;
    case FanOut::Delivery::more:
        pass_needed_ = true;
        break;
    case FanOut::Delivery::blocked:
        wait_for_write(client);
        break;
    case FanOut::Delivery::no_memory: // its filter tells of it where it is added anew
        client.write_filter = Client::WriteFilter::disabled;
        wait_for_write(client);
        break;
    case FanOut::Delivery::failed:
        if (client.phase == Client::Phase::closing)
            drop(client, LeaveReason::write_error, errno);
        else
            mute(client, errno);
        break;
    }
}

// A client whose socket takes nothing any more is not gone yet: what it sent before may still lie
// unread in the socket (R5). Until that is read, its cursor keeps up with the head as if it were
// written to, for it must not block the room: least of all its own. The kernel tells once why
// a connection broke: what reading comes to after this is no more than an end of file. (EPIPE says
// nothing: the peer may have closed before.)
void Service::mute(Client& client, int error) {
    client.mute = true;
    if (client.phase == Client::Phase::talking) // otherwise it is known why it leaves
        client.leave_error = error;
    skip_to(client, target_of(client));
}

void Service::skip_to(Client& client, uint64_t log_offset) {
    move_cursor(*client.slot, {cursor_of(*client.slot).bytes_written, log_offset});
    client.own.forget_up_to(log_offset);
}

// EVFILT_WRITE is left enabled and tells of each time that the socket, having been full, takes
// bytes again: a client that is always short of room costs no change of its filter for each write.
// Where it also tells of a socket that was not full (the BSDs, at each acknowledgement) it is
// disabled until it is needed.
void Service::wait_for_write(Client& client) {
    roster_.block(client);
    if (!client.drain.open)
        StallWatch::fell_behind(client, clock_.now());
    if (client.write_filter == Client::WriteFilter::enabled)
        return;
    client.write_filter = Client::WriteFilter::enabled;
    const int error = events_.watch_newly_writable(client.fd.get(), tag_of(client.id));
    if (error != 0)
        drop(client, LeaveReason::write_error, error);
}

void Service::writable(ClientId id) {
    Client* const client = roster_.find(id);
    if (client == nullptr)
        return;
    if (!client->write_blocked) {
        disable_write_filter(*client);
        return;
    }
    roster_.unblock(*client);
    pass_needed_ = true;
}

void Service::disable_write_filter(Client& client) {
    client.write_filter = Client::WriteFilter::disabled;
    events_.pause_writable(client.fd.get(), tag_of(client.id));
}

} // namespace chatserv
