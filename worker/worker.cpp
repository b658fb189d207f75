#include "worker/worker.h"

#include "shared/segment/crash_point.h"
#include "shared/segment/memory_fault.h"
#include "shared/system/errors.h"
#include "shared/system/logging.h"
#include "shared/system/panic.h"
#include "shared/system/process_title.h"
#include "worker/confinement/confinement.h"

#include <algorithm>
#include <fmt/core.h>

#include <stdexcept>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr std::chrono::nanoseconds no_time{0};
constexpr std::chrono::microseconds brief_sleep{50};
constexpr int looks_max = 64;

Heartbeat* heartbeat_at(const Segment& segment, SeatId seat) {
    if (index_of(seat) >= segment.heartbeats().size())
        throw std::runtime_error("the master gave this worker a seat that does not exist");
    return &segment.heartbeats()[index_of(seat)];
}

} // namespace

Worker::Worker(Inheritance inheritance, SocketAccount account) :
    segment_(Segment::attach(std::move(inheritance.segment))),
    heartbeat_(heartbeat_at(segment_, inheritance.seat)),
    beat_interval_(std::max(segment_.header().settings.hang_limit_ms / 2, 1U)), account_(account),
    channel_(std::move(inheritance.channel)), doorbell_pipes_(std::move(inheritance.doorbells)),
    doorbells_(segment_.worker_table(), doorbell_pipes_), metronome_(events_, beat_interval_),
    work_meter_(*heartbeat_, BeatClock::now()) {
    explain_memory_faults(segment_.bytes());
    require(events_.watch_readable(channel_.fd(), WorkerEvent::channel),
        "watching the master's channel");
    require(metronome_.start(), "setting the timer of the heartbeat");
}

void Worker::run(Confinement in_force) {
    const Hello hello{.layout_version = layout_version, .confinement = in_force};
    channel_.queue(MessageType::hello, std::span(&hello, 1));
    flush_channel();
    while (running_) {
        const BeatClock::time_point now = beat(*heartbeat_);
        work_meter_.still_awake(now);
        if (relay_)
            (void)relay_->clock().now(now);
        const bool was_idle = wait_and_handle();
        if (relay_) {
            if (!was_idle)
                gather();
            relay_->settle();
        }
        report();
    }
}

// True if the worker has slept for a while: nothing was waiting for it.
bool Worker::wait_and_handle() {
    bool was_idle = false;
    if (may_sleep()) {
        const std::span<const EventQueue::Event> events = events_.wait();
        was_idle = work_meter_.woke(BeatClock::now()) > brief_sleep;
        if (doorbell_)
            doorbell_->wake_up();
        handle(events);
    } else {
        handle(events_.wait(no_time));
    }
    return was_idle;
}

// If it may, the metronome will end the sleep in time.
bool Worker::may_sleep() {
    if (!relay_)
        return true;
    const std::chrono::nanoseconds time = relay_->time_to_sleep(*doorbell_, beat_interval_);
    if (time == no_time)
        return false;
    metronome_.end_sleep_within(time);
    return true;
}

// Clients send faster than their bytes are relayed. A write costs nearly the same for one line as
// for many, so what else has come by now is read first, as long as there is something and the batch
// is small. A line that comes alone is not kept waiting: its worker was idle.
void Worker::gather() {
    for (int look = 0; look < looks_max && relay_->has_small_batch(); ++look) {
        const std::span<const EventQueue::Event> events = events_.wait(no_time);
        if (events.empty())
            return;
        handle(events);
    }
}

void Worker::handle(std::span<const EventQueue::Event> events) {
    for (const EventQueue::Event& event : events)
        handle(event);
}

void Worker::handle(const EventQueue::Event& event) {
    if (is_timer(event))
        return handle_timer(timer_of(event));
    const Tag tag = tag_of(event);
    switch (tag.kind<WorkerEvent>()) {
    case WorkerEvent::channel:
        return is_readable(event) ? handle_channel() : flush_channel();
    case WorkerEvent::doorbell:
        return doorbell_->empty_pipe();
    case WorkerEvent::client:
        return is_readable(event) ? relay_->readable(client_of(tag))
                                  : relay_->writable(client_of(tag));
    }
}

void Worker::handle_timer(uintptr_t ident) {
    if (ident == metronome_ident) // the loop itself beats, in each of its turns
        return metronome_.ticked();
    relay_->timer(static_cast<Timer>(ident), {relay_->clock().now(), RateLimiter::Clock::now()});
}

void Worker::handle_channel() {
    Message message;
    for (;;) {
        switch (channel_.receive(message)) {
        case Channel::Received::message:
            handle_message(message);
            // Clients are served as they come, so the first of very many need not wait for the
            // last.
            if (message.type == MessageType::clients && !channel_.has_unread())
                return;
            break;
        case Channel::Received::nothing:
            return;
        case Channel::Received::malformed:
            log_error("protocol", "the master sent a message that this worker does not understand");
            [[fallthrough]];
        case Channel::Received::closed:
            running_ = false;
            return;
        }
    }
}

void Worker::handle_message(Message& message) {
    switch (message.type) {
    case MessageType::take_entry:
        if (const auto orders = message.items<TakeEntry>(); orders && orders->size() == 1)
            return take_entry(orders->front().entry);
        break;
    case MessageType::clients:
        if (relay_)
            return receive_clients(message);
        break;
    case MessageType::hand_over:
        if (const auto clients = message.items<ClientId>(); clients && relay_)
            return relay_->hand_over(*clients);
        break;
    case MessageType::stop_reading:
        if (relay_)
            return relay_->stop_reading();
        break;
    case MessageType::finish:
        if (relay_)
            return relay_->finish();
        break;
    case MessageType::log_file:
        if (message.descriptors_lost || message.descriptors.size() == 1)
            return take_log_file(message);
        break;
    default:
        break;
    }
    log_error("protocol", fmt::format("the master sent a message out of place (type {})",
                              static_cast<uint16_t>(message.type)));
    running_ = false;
}

void Worker::take_entry(EntryId entry) {
    invariant(!relay_ && index_of(entry) < segment_.worker_table().size(),
        "the master gave a worker an entry that it cannot take");
    set_process_title(fmt::format("chatserv: worker {}", number_of(entry)));
    const int listening_end = doorbell_pipes_[index_of(entry)].first.get();
    doorbell_.emplace(segment_.worker_table()[index_of(entry)], listening_end);
    relay_.emplace(segment_, entry, events_, doorbells_, *heartbeat_, account_);
    const int error = events_.watch_readable(listening_end, WorkerEvent::doorbell);
    invariant(error == 0, "a worker could not watch its doorbell");
    crash_point(CrashPoint::entry_taken);
}

void Worker::receive_clients(Message& message) {
    const auto clients = message.items<ClientId>();
    if (!clients || (!message.descriptors_lost && clients->size() != message.descriptors.size())) {
        log_error("protocol", "the master sent clients without their descriptors");
        running_ = false;
        return;
    }
    if (message.descriptors_lost) {
        channel_.queue_all(MessageType::not_received, std::span<const ClientId>(*clients));
        return;
    }
    for (size_t i = 0; i < clients->size(); ++i)
        relay_->receive((*clients)[i], std::move(message.descriptors[i]));
    crash_point(CrashPoint::clients_received);
}

// This closes the old log, which may be a file that was renamed in order to be compressed.
void Worker::take_log_file(const Message& message) {
    if (message.descriptors_lost) {
        channel_.queue(MessageType::log_file_lost);
        return;
    }
    const int fd = message.descriptors.front().get();
    confine_log(fd);
    if (::dup2(fd, STDERR_FILENO) == -1)
        return; // standard error is as it was
    log_goes_to_new_file();
    log_debug("log_opened", "writing to the log file that was opened again");
}

void Worker::report() {
    if (relay_) {
        const Report report = relay_->take_report();
        if (report.settled_bytes) {
            const Settled settled{.bytes = *report.settled_bytes};
            channel_.queue(MessageType::settled, std::span(&settled, 1));
        }
        channel_.queue_all(MessageType::attached, std::span<const ClientId>(report.attached));
        channel_.queue_all(MessageType::throttled, std::span<const ClientId>(report.throttled));
        channel_.queue_all(MessageType::handed_over, std::span<const ClientId>(report.handed_over));
        channel_.queue_all(MessageType::closed, std::span<const ClosedClient>(report.closed));
        if (relay_->has_stopped_reading() && !stop_reading_reported_) {
            stop_reading_reported_ = true;
            channel_.queue(MessageType::stopped_reading);
        }
    }
    flush_channel();
}

void Worker::flush_channel() {
    const Channel::Sent sent = channel_.flush();
    if (sent == Channel::Sent::broken)
        running_ = false;
    if (sent != Channel::Sent::partly)
        return;
    const int error = events_.watch_writable_once(channel_.fd(), WorkerEvent::channel);
    invariant(error == 0, "a worker could not wait for the master's channel");
}

} // namespace chatserv
