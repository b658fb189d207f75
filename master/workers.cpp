// Master: what it hears from its workers.
#include "master/master.h"

#include "shared/logging.h"

#include <cerrno>
#include <cstring>
#include <fmt/core.h>

namespace chatserv {

namespace {

constexpr int64_t resend_pause_ms = 1000;

std::string words_for(const ClosedClient& closed) {
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
        break;
    }
    return nullptr;
}

} // namespace

void Master::handle_channel(pid_t pid) {
    WorkerPool::Process* const process = pool_.find(pid);
    if (process == nullptr || !process->channel.open())
        return;
    read_channel(*process);
    man_entries();
    if (process->channel.open())
        pool_.send(*process);
}

void Master::read_channel(WorkerPool::Process& process) {
    Message message;
    for (;;) {
        switch (process.channel.receive(message)) {
        case Channel::Received::message:
            if (handle_message(process, message))
                break;
            [[fallthrough]];
        case Channel::Received::malformed:
            distrust(process);
            return;
        case Channel::Received::nothing:
            return;
        case Channel::Received::closed: // it has ended, and its exit will be told
            pool_.hang_up(process);
            return;
        }
    }
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
            fmt::format("workers run{}, not confined to their clients: {}", as_whom,
                in_force == Confinement::not_in_kernel
                    ? "this kernel was built without what that takes"
                    : "this build has nothing for that"),
            {{"user", worker_user_}, {"confinement", "none"}});
}

// False where no worker of this version says such a thing.
bool Master::handle_message(WorkerPool::Process& process, const Message& message) {
    switch (static_cast<MessageType>(message.type)) {
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
    case MessageType::attached:
        if (const auto clients = message.items<ClientId>(); clients && process.entry) {
            for (const ClientId client : *clients)
                confirm_attached(process, client);
            return true;
        }
        return false;
    case MessageType::closed:
        if (const auto clients = message.items<ClosedClient>(); clients && process.entry) {
            for (const ClosedClient& closed : *clients)
                client_closed(process, closed);
            return true;
        }
        return false;
    case MessageType::not_received:
        if (const auto clients = message.items<ClientId>(); clients && process.entry) {
            log_warning("not_received",
                fmt::format("worker {} had no descriptors left for {} users; sending them again",
                    *process.entry + 1, clients->size()));
            for (const ClientId client : *clients)
                if (const Escrow::Held* const held = escrow_.find(client);
                    held != nullptr && held->entry == process.entry)
                    not_received_.push_back(client);
            [[maybe_unused]] const int error = events_.change(
                resend_timer_ident, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, resend_pause_ms);
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
            stopped_reading_[*process.entry] = true;
        return process.entry.has_value();
    default:
        return false;
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
        fmt::format("user {} joined from {} on worker {}", client.slot, peer, held->entry + 1),
        {{"slot", client.slot}, {"address", peer}, {"worker", held->entry + 1}});
}

void Master::client_closed(const WorkerPool::Process& process, const ClosedClient& closed) {
    Escrow::Held* const held = escrow_.find(closed.client);
    if (held == nullptr || held->entry != process.entry)
        return;
    is_served(*held);
    const std::string reason = words_for(closed);
    log_info("left", fmt::format("user {} left: {}", closed.client.slot, reason),
        {{"slot", closed.client.slot}, {"reason", reason}});
    let_go(closed.client, departure_of(closed));
}

// A worker that says what none of ours would say is ended, and then recovered like any other.
void Master::distrust(WorkerPool::Process& process) {
    log_error("protocol",
        fmt::format("the worker with pid {} broke the protocol: ending it", process.pid));
    pool_.end(process, "it broke the protocol");
    pool_.hang_up(process);
}

} // namespace chatserv
