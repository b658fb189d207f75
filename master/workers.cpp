// Master: what it hears from its workers.
#include "master/master.h"

#include "shared/system/logging.h"

#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <utility>

namespace chatserv {

namespace {

// So much of what one worker says is heard before others are: one that talks without end does not
// have the master to itself.
constexpr int messages_per_turn = 256;

// Until clients are sent again to a worker that had no descriptors for them.
constexpr std::chrono::seconds resend_pause{1};

std::string words_for(const ClosedClient& closed, uint32_t idle_timeout_ms) {
    const bool reset = closed.error == ECONNRESET || closed.error == EPIPE;
    const bool broken =
        closed.reason == LeaveReason::read_error || closed.reason == LeaveReason::write_error;
    if (broken && closed.error == ETIMEDOUT)
        return "connection timed out"; // keepalive.h
    switch (closed.reason) {
    case LeaveReason::end_of_file:
        return "end of file";
    case LeaveReason::read_error:
        return reset ? "connection reset"
                     : fmt::format("read error: {}", std::strerror(closed.error));
    case LeaveReason::write_error:
        return reset ? "connection reset"
                     : fmt::format("write error: {}", std::strerror(closed.error));
    case LeaveReason::stalled:
        return "stalled: it read too little, and held up the others for the stall limit";
    case LeaveReason::fell_behind:
        return "too slow: it was a whole log behind";
    case LeaveReason::server_stopped:
        return "server stopped";
    case LeaveReason::idle:
        return fmt::format("idle: it sent nothing for {} s", idle_timeout_ms / 1000.0);
    case LeaveReason::in_doubt:
        return "in doubt: its worker died while serving it, and this system keeps no account of "
               "how "
               "far it had got";
    }
    return "for a reason unknown";
}

// Null for none.
const char* name_of(Confinement confinement) {
    switch (confinement) {
    case Confinement::seccomp:
        return "seccomp";
    case Confinement::capsicum:
        return "Capsicum";
    case Confinement::pledge:
        return "pledge";
    case Confinement::not_built:
    case Confinement::not_in_kernel:
    case Confinement::refused:
        break;
    }
    return nullptr;
}

const char* why_none(Confinement confinement) {
    switch (confinement) {
    case Confinement::not_in_kernel:
        return "this kernel was built without what that takes";
    case Confinement::refused:
        return "what the server itself is confined by, such as a container, does not let them be";
    default:
        return "this build has nothing for that";
    }
}

} // namespace

void Master::handle_channel(pid_t pid) {
    WorkerPool::Process* const process = pool_.find(pid);
    if (process == nullptr || !process->channel.open())
        return;
    if (read_channel(*process, messages_per_turn) && process->channel.has_unread())
        unread_.push_back(pid); // no event will tell of these
    man_entries();
    if (process->channel.open())
        pool_.send(*process);
}

void Master::read_on() {
    for (const pid_t pid : std::exchange(unread_, {}))
        handle_channel(pid);
}

// True where there may be more to read.
bool Master::read_channel(WorkerPool::Process& process, int messages_max) {
    Message message;
    for (int count = 0; count < messages_max; ++count) {
        switch (process.channel.receive(message)) {
        case Channel::Received::message:
            if (handle_message(process, message))
                break;
            [[fallthrough]];
        case Channel::Received::malformed:
            distrust(process);
            return false;
        case Channel::Received::nothing:
            return false;
        case Channel::Received::closed: // it has ended, and its exit will be told
            pool_.hang_up(process);
            return false;
        }
    }
    return true;
}

// Said once, of the first worker: what somebody who breaks into one could do.
void Master::tell_confinement(Confinement in_force) const {
    const std::string as_whom = worker_user_.empty() ? "" : " as " + worker_user_;
    const char* const name = name_of(in_force);
    if (name != nullptr)
        log_info("confinement",
            fmt::format("workers run{}, confined to their clients by {}", as_whom, name),
            {{"user", worker_user_}, {"confinement", name}});
    else
        log_warning("confinement",
            fmt::format(
                "workers run{}, not confined to their clients: {}", as_whom, why_none(in_force)),
            {{"user", worker_user_}, {"confinement", "none"}});
}

// False where no worker of this version says such a thing.
bool Master::handle_message(WorkerPool::Process& process, const Message& message) {
    if (!message.descriptors.empty() || message.descriptors_lost)
        return false;
    switch (message.type) {
    case MessageType::hello: {
        const auto hello = message.items<Hello>();
        if (!hello || hello->size() != 1 || hello->front().layout_version != layout_version)
            return false;
        if (!std::exchange(confinement_told_, true))
            tell_confinement(hello->front().confinement);
        pool_.mark_ready(process);
        log_debug("worker_ready", fmt::format("spare worker ready (pid {})", process.pid),
            {{"pid", process.pid}});
        return true;
    }
    case MessageType::cannot_work:
        if (const auto words = message.items<CannotWork>();
            words && words->size() == 1 && !process.ready) {
            process.cannot_work = words->front();
            return true;
        }
        return false;
    case MessageType::attached:
        if (const auto clients = message.items<ClientId>(); clients && process.entry) {
            for (const ClientId client : *clients)
                confirm_attached(process, client);
            return true;
        }
        return false;
    case MessageType::closed:
        if (const auto clients = message.items<ClosedClient>(); clients && process.entry) {
            for (const ClosedClient& closed : *clients) {
                if (!is_known(closed.reason))
                    return false;
                client_closed(process, closed);
            }
            return true;
        }
        return false;
    case MessageType::throttled:
        if (const auto clients = message.items<ClientId>(); clients && process.entry) {
            for (const ClientId client : *clients)
                client_throttled(process, client);
            return true;
        }
        return false;
    case MessageType::not_received:
        if (const auto clients = message.items<ClientId>(); clients && process.entry) {
            send_again_later(process, *clients);
            return true;
        }
        return false;
    case MessageType::settled:
        if (const auto settled = message.items<Settled>();
            settled && settled->size() == 1 && process.entry) {
            process.proven = true;
            takeovers_.settled(*process.entry, settled->front().bytes);
            finish_takeover(*process.entry);
            return true;
        }
        return false;
    case MessageType::stopped_reading:
        if (process.entry)
            stopped_reading_[index_of(*process.entry)] = true;
        return process.entry.has_value();
    case MessageType::log_file_lost:
        send_log_file_later(process);
        return true;
    default:
        return false;
    }
}

// Each is noted once, however often its worker says so.
void Master::send_again_later(
    const WorkerPool::Process& process, std::span<const ClientId> clients) {
    size_t noted = 0;
    for (const ClientId client : clients) {
        Escrow::Held* const held = escrow_.find(client);
        if (held == nullptr || held->entry != process.entry ||
            std::exchange(held->to_be_sent_again, true))
            continue;
        not_received_.push_back(client);
        ++noted;
    }
    if (noted == 0)
        return;
    log_warning("not_received",
        fmt::format("worker {} had no descriptors left for {} users; sending them again",
            number_of(*process.entry), noted));
    if (!send_again_at_)
        send_again_at_ = std::chrono::steady_clock::now() + resend_pause;
}

void Master::send_log_file_later(WorkerPool::Process& process) {
    if (!std::exchange(process.lacks_log_file, true))
        log_warning("log_file_lost",
            fmt::format("the worker with pid {} had no descriptor left for the log file; sending "
                        "it again",
                process.pid),
            {{"pid", process.pid}});
    if (!send_again_at_)
        send_again_at_ = std::chrono::steady_clock::now() + resend_pause;
}

// Not to a worker that has yet to read what it was sent before.
void Master::send_again() {
    const auto now = std::chrono::steady_clock::now();
    if (!send_again_at_ || *send_again_at_ > now)
        return;
    send_again_at_.reset();
    pool_.send_log_file_again();
    for (const ClientId client : std::exchange(not_received_, {})) {
        Escrow::Held* const held = escrow_.find(client);
        if (held == nullptr)
            continue;
        const WorkerPool::Process* const process = pool_.process_of(held->entry);
        if (process != nullptr && process->channel.has_unsent()) {
            not_received_.push_back(client);
            send_again_at_ = now + resend_pause;
        } else {
            held->to_be_sent_again = false;
            outbox_[index_of(held->entry)].push_back(client);
        }
    }
}

void Master::confirm_attached(WorkerPool::Process& process, ClientId client) {
    Escrow::Held* const held = escrow_.find(client);
    if (held == nullptr || held->entry != process.entry)
        return; // late word, or not its client
    is_served(*held);
    if (held->announced)
        return;
    held->announced = true;
    const std::string peer = held->peer.text();
    log_info("joined",
        fmt::format("user {} joined from {} on worker {}", index_of(client.slot), peer,
            number_of(held->entry)),
        {{"slot", index_of(client.slot)}, {"address", peer}, {"worker", number_of(held->entry)}});
}

void Master::client_closed(const WorkerPool::Process& process, const ClosedClient& closed) {
    Escrow::Held* const held = escrow_.find(closed.client);
    if (held == nullptr || held->entry != process.entry)
        return;
    is_served(*held);
    const std::string reason = words_for(closed, segment_.header().settings.idle_timeout_ms);
    log_info("left", fmt::format("user {} left: {}", index_of(closed.client.slot), reason),
        {{"slot", index_of(closed.client.slot)}, {"reason", reason}});
    let_go(closed.client, departure_of(closed));
}

// A successor says it again, not knowing that it was said.
void Master::client_throttled(const WorkerPool::Process& process, ClientId client) {
    Escrow::Held* const held = escrow_.find(client);
    if (held == nullptr || held->entry != process.entry || std::exchange(held->throttled, true))
        return;
    counters_.count_throttled();
    const uint32_t max_rate_bytes = segment_.header().settings.max_rate_bytes;
    log_info("throttled",
        fmt::format("user {} is sending faster than {} bytes a second", index_of(client.slot),
            max_rate_bytes),
        {{"slot", index_of(client.slot)}, {"max_rate_bytes", max_rate_bytes}});
}

// A worker that says what none of ours would say is ended, and then recovered like any other.
void Master::distrust(WorkerPool::Process& process) {
    log_error("protocol",
        fmt::format("the worker with pid {} broke the protocol: ending it", process.pid));
    pool_.end(process, "it broke the protocol");
    pool_.hang_up(process);
}

} // namespace chatserv
