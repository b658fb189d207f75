#include "worker/worker.h"

#include "shared/confinement/confinement.h"
#include "shared/segment/crash_point.h"
#include "shared/segment/memory_fault.h"
#include "shared/segment/relay_settings.h"
#include "shared/system/errors.h"
#include "shared/system/logging.h"
#include "shared/system/panic.h"
#include "shared/system/process_title.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr std::chrono::nanoseconds no_time{0};
constexpr int looks_max = 64;

Heartbeat* heartbeat_at(const Segment& segment, SeatId seat) {
    if (index_of(seat) >= segment.heartbeats().size())
        throw std::runtime_error("the master gave this worker a seat that does not exist");
    return &segment.heartbeats()[index_of(seat)];
}

} // namespace

Worker::Worker(Inheritance inheritance, SocketAccount account) :
    segment_(Segment::attach(std::move(inheritance.segment))), settings_(segment_.first_settings()),
    heartbeat_(heartbeat_at(segment_, inheritance.seat)),
    beat_interval_(std::max(settings_.hang_limit_ms / 2, 1U)), account_(account),
    doorbell_pipes_(std::move(inheritance.doorbells)),
    doorbells_(segment_.all_entries(), doorbell_pipes_),
    master_(std::move(inheritance.channel), std::move(inheritance.rendezvous), events_),
    metronome_(events_, beat_interval_), tempo_(*heartbeat_, BeatClock::now()) {
    explain_memory_faults(segment_.bytes());
    require(metronome_.start(), "setting the timer of the heartbeat");
}

void Worker::run(Confinement in_force) {
    confinement_ = in_force;
    say_hello();
    master_.flush();
    while (running_) {
        const BeatClock::time_point now = beat(*heartbeat_);
        tempo_.still_awake(now);
        if (relay_)
            (void)relay_->clock().now(now);
        wait_and_handle();
        if (relay_) {
            if (!tempo_.has_rested())
                gather();
            relay_->settle();
        }
        report();
    }
}

void Worker::wait_and_handle() {
    if (!may_sleep())
        return handle(events_.wait(no_time));
    const std::span<const EventQueue::Event> events = events_.wait();
    tempo_.woke(BeatClock::now());
    if (doorbell_)
        doorbell_->wake_up();
    handle(events);
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

// A write costs nearly the same for one line as for many. So a worker that has not come to rest
// reads on while its batch is small and more is there; and one that is saturated waits once for
// more if its clients write in small pieces. A line that comes alone is not kept waiting.
void Worker::gather() {
    bool has_paused = false;
    for (int look = 0; look < looks_max; ++look) {
        const bool in_pieces = tempo_.is_saturated() && relay_->has_pieces();
        if (!in_pieces && !relay_->has_small_batch())
            return;
        const std::span<const EventQueue::Event> events = events_.wait(no_time);
        handle(events);
        if (!events.empty())
            continue;
        if (!in_pieces || has_paused)
            return;
        tempo_.pause();
        has_paused = true;
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
        return is_readable(event) ? handle_channel() : master_.flush();
    case WorkerEvent::rendezvous:
        return handle_rendezvous();
    case WorkerEvent::doorbell:
        return doorbell_->empty_pipe();
    case WorkerEvent::client:
        return is_readable(event) ? relay_->readable(client_of(tag), is_at_end(event))
                                  : relay_->writable(client_of(tag));
    }
}

void Worker::handle_timer(uintptr_t ident) {
    if (ident == metronome_ident) // the loop itself beats, in each of its turns
        return metronome_.ticked();
    relay_->timer(static_cast<Timer>(ident), {relay_->clock().now(), RateLimiter::Clock::now()});
}

void Worker::handle_rendezvous() {
    switch (master_.take_new_channel()) {
    case Offer::Kind::channel:
        return introduce_itself();
    case Offer::Kind::none:
        return;
    case Offer::Kind::lost:
        log_error("protocol", "the master's new channel could not be received");
        [[fallthrough]];
    case Offer::Kind::closed:
        running_ = false;
    }
}

void Worker::handle_channel() {
    Message message;
    for (;;) {
        switch (master_.receive(message)) {
        case Channel::Received::message:
            handle_message(message);
            // Clients are served as they come, so the first of very many need not wait for the
            // last.
            if (message.type == MessageType::clients && !master_.has_unread())
                return;
            break;
        case Channel::Received::nothing:
        case Channel::Received::closed:
            return;
        case Channel::Received::malformed:
            log_error("protocol", "the master sent a message that this worker does not understand");
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
    case MessageType::kick:
        if (const auto clients = message.items<ClientId>(); clients && relay_)
            return relay_->kick(*clients);
        break;
    case MessageType::stop_reading:
        if (relay_)
            return relay_->stop_reading();
        break;
    case MessageType::finish:
    case MessageType::end_room:
        if (relay_)
            return relay_->finish(message.type == MessageType::finish ? LeaveReason::server_stopped
                                                                      : LeaveReason::room_over);
        break;
    case MessageType::log_file:
        if (message.descriptors_lost || message.descriptors.size() == 1)
            return take_log_file(message);
        break;
    case MessageType::settings:
        return take_settings();
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
    entry_ = entry;
    set_process_title(fmt::format("chatserv: worker {}", number_of(entry)));
    const int listening_end = doorbell_pipes_[index_of(entry)].first.get();
    doorbell_.emplace(segment_.worker_table()[index_of(entry)], listening_end);
    take_settings();
    relay_.emplace(segment_, entry, events_, doorbells_, *heartbeat_, account_, settings_);
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
        master_.say_all(MessageType::not_received, std::span<const ClientId>(*clients));
        return;
    }
    for (size_t i = 0; i < clients->size(); ++i)
        relay_->receive((*clients)[i], std::move(message.descriptors[i]));
    crash_point(CrashPoint::clients_received);
}

// This closes the old log, which may be a file that was renamed in order to be compressed.
void Worker::take_log_file(const Message& message) {
    if (message.descriptors_lost) {
        master_.say(MessageType::log_file_lost);
        return;
    }
    const int fd = message.descriptors.front().get();
    confine_log(fd);
    if (::dup2(fd, STDERR_FILENO) == -1)
        return; // standard error is as it was
    log_goes_to_new_file();
    log_debug("log_opened", "writing to the log file that was opened again");
}

// If a faulty process has written over the settings, those that this process has stay in force. The
// order of the steps decides nothing: a process that dies in the midst of them leaves its clients
// to a successor, which begins with the settings in force.
void Worker::take_settings() {
    settings_ = settings_in_force(segment_.settings()).value_or(settings_);
    change_logging(std::string(log_levels[settings_.log_level]),
        settings_.log_as_json == 1 ? LogFormat::json : LogFormat::text);
    crash_point(CrashPoint::settings_taken);
    if (relay_)
        relay_->follow(settings_);
}

void Worker::say_hello() {
    master_.say(MessageType::hello,
        Hello{.layout_version = layout_version, .confinement = confinement_, .entry = entry_});
}

// On a channel that replaces another: see protocol.h.
void Worker::introduce_itself() {
    say_hello();
    if (relay_)
        relay_->tell_again();
    stop_reading_reported_ = false;
    report();
    master_.say(MessageType::introduced);
    master_.flush();
    crash_point(CrashPoint::introduced);
}

void Worker::report() {
    if (relay_) {
        const Report report = relay_->take_report();
        if (report.settled_bytes)
            master_.say(MessageType::settled, Settled{.bytes = *report.settled_bytes});
        master_.say_all(MessageType::attached, std::span<const ClientId>(report.attached));
        master_.say_all(MessageType::throttled, std::span<const ClientId>(report.throttled));
        master_.say_all(MessageType::handed_over, std::span<const ClientId>(report.handed_over));
        master_.say_all(MessageType::closed, std::span<const ClosedClient>(report.closed));
        if (relay_->has_stopped_reading() && !stop_reading_reported_) {
            stop_reading_reported_ = true;
            master_.say(MessageType::stopped_reading);
        }
    }
    master_.flush();
}

} // namespace chatserv
