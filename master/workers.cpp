// Master: what it hears from its workers, and what it does when one dies.
#include "master/master.h"

#include "master/failure.h"
#include "master/takeover.h"
#include "shared/logging.h"
#include "shared/worker_table.h"

#include <algorithm>
#include <cstring>
#include <fmt/core.h>
#include <sys/wait.h>
#include <sysexits.h>

namespace chatserv {

namespace {

constexpr int64_t resend_pause_ms = 1000;

std::string end_of(int wait_status) {
    if (WIFSIGNALED(wait_status))
        return fmt::format(
            "killed by signal {} ({})", WTERMSIG(wait_status), ::strsignal(WTERMSIG(wait_status)));
    return fmt::format("exit status {}", WEXITSTATUS(wait_status));
}

std::string words_for(const ClosedClient& closed) {
    const bool reset = closed.error == ECONNRESET || closed.error == EPIPE;
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
        return "stalled: it did not read, and held up the others for the stall limit";
    case LeaveReason::server_stopped:
        return "server stopped";
    case LeaveReason::in_doubt:
        return "in doubt: its worker died while serving it, and this system keeps no account of "
               "how "
               "far it had got";
    }
    return "for a reason unknown";
}

// An entry's clients in the order in which its next worker is to get them: first the one that its
// predecessor was serving when it died, for until that one is settled nobody is served.
std::vector<ClientId> clients_to_hand_over(
    uint16_t entry, const Region& region, const Escrow& escrow) {
    std::vector<ClientId> clients = escrow.all_of(entry);
    const InFlight in_flight = operation_in_flight(region.worker_table()[entry]);
    if (in_flight.operation == Operation::none)
        return clients;
    const auto in_doubt = std::find_if(clients.begin(), clients.end(),
        [&](const ClientId client) { return client.slot == in_flight.slot; });
    if (in_doubt != clients.end())
        std::iter_swap(clients.begin(), in_doubt);
    return clients;
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

// False where no worker of this version says such a thing.
bool Master::handle_message(WorkerPool::Process& process, const Message& message) {
    switch (static_cast<MessageType>(message.type)) {
    case MessageType::hello: {
        const auto hello = message.items<Hello>();
        if (!hello || hello->size() != 1 || hello->front().layout_version != layout_version)
            return false;
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
            not_received_.insert(not_received_.end(), clients->begin(), clients->end());
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

// The client's takeover is over.
void Master::is_served(Escrow::Held& held) {
    if (!std::exchange(held.moving, false))
        return;
    takeovers_.arrived(held.entry);
    finish_takeover(held.entry);
}

void Master::finish_takeover(uint16_t entry) {
    const auto takeover = takeovers_.take_finished(entry);
    if (!takeover)
        return;
    const double milliseconds =
        std::chrono::duration<double, std::milli>(Takeover::Clock::now() - takeover->begun).count();
    const std::string again =
        takeover->deaths == 1 ? "" : fmt::format(" ({} deaths)", takeover->deaths);
    log_info("taken_over",
        fmt::format("worker {} taken over by pid {} in {:.2f} ms: {}{}; {} users moved, {} bytes "
                    "settled by the kernel's account",
            entry + 1, takeover->pid, milliseconds, takeover->cause, again, takeover->users,
            takeover->settled_bytes),
        {{"worker", entry + 1}, {"pid", takeover->pid}, {"milliseconds", milliseconds},
            {"cause", takeover->cause}, {"deaths", takeover->deaths}, {"users", takeover->users},
            {"settled_bytes", static_cast<int64_t>(takeover->settled_bytes)}});
    tell_takeover(*takeover, milliseconds);
    replenish_pool();
}

void Master::client_closed(const WorkerPool::Process& process, const ClosedClient& closed) {
    Escrow::Held* const held = escrow_.find(closed.client);
    if (held == nullptr || held->entry != process.entry)
        return;
    is_served(*held);
    const std::string reason = words_for(closed);
    log_info("left", fmt::format("user {} left: {}", closed.client.slot, reason),
        {{"slot", closed.client.slot}, {"reason", reason}});
    escrow_.release(closed.client);
}

void Master::handle_exit(pid_t pid) {
    WorkerPool::Process* const process = pool_.find(pid);
    if (process == nullptr)
        return;
    int wait_status = 0;
    ::waitpid(pid, &wait_status, 0);
    // Its last words first: who it was done with is not to be handed on.
    if (process->channel.open())
        read_channel(*process);

    const WorkerPool::Departure departure = pool_.remove(pid, wait_status);
    if (phase_ == Phase::dismissing)
        return;
    const std::string who = departure.entry ? fmt::format("worker {}", *departure.entry + 1)
                                            : std::string("spare worker");
    const std::string cause =
        end_of(wait_status) +
        (departure.ended_because.empty() ? "" : fmt::format(", {}", departure.ended_because));
    log_warning("worker_died", fmt::format("{} died (pid {}): {}", who, pid, cause),
        {{"pid", pid}, {"worker", departure.entry ? *departure.entry + 1 : 0}});
    if (phase_ == Phase::starting && departure.died_young)
        throw Failure(EX_UNAVAILABLE,
            "the workers do not start (the line above says how one ended): "
            "is chatserv-worker of the same build as chatserv?");
    if (departure.entry) {
        for (const ClientId client :
            recover_entry(*departure.entry, region_, escrow_, doorbells_)) {
            log_error("user_lost",
                fmt::format("user {} left: its slot was overwritten by its worker", client.slot),
                {{"slot", client.slot}});
            escrow_.release(client);
        }
        stopped_reading_[*departure.entry] = false;
        takeovers_.died(*departure.entry, cause, departure.ended);
    }
    man_entries();
    replenish_pool();
}

// The start of a process takes the processor from a takeover that another process is busy with, and
// is not urgent unless an entry waits for it.
void Master::replenish_pool() {
    if (!takeovers_.any_under_way() || !pool_.all_manned())
        pool_.replenish();
}

// A worker that says what none of ours would say is ended, and then recovered like any other.
void Master::distrust(WorkerPool::Process& process) {
    log_error("protocol",
        fmt::format("the worker with pid {} broke the protocol: ending it", process.pid));
    pool_.end(process, "it broke the protocol");
    pool_.hang_up(process);
}

void Master::man_entries() {
    for (const uint16_t entry : pool_.man_entries()) {
        WorkerPool::Process& process = *pool_.process_of(entry);
        outbox_[entry] = clients_to_hand_over(entry, region_, escrow_);
        for (const ClientId client : outbox_[entry])
            escrow_.find(client)->moving = true;
        takeovers_.manned(entry, process.pid, static_cast<uint32_t>(outbox_[entry].size()));
        send_clients(entry);
        if (phase_ == Phase::draining || phase_ == Phase::finishing)
            process.channel.queue(static_cast<uint16_t>(MessageType::stop_reading));
        if (phase_ == Phase::finishing)
            process.channel.queue(static_cast<uint16_t>(MessageType::finish));
        pool_.send(process);
        log_info("worker_started", // while it is at work already
            fmt::format("worker {} started (pid {})", entry + 1, process.pid),
            {{"worker", entry + 1}, {"pid", process.pid}});
    }
    if (phase_ == Phase::starting && pool_.all_manned())
        start_serving();
}

// In frames of as many as one message can carry. Clients of an entry that nobody serves wait: all
// of them are sent to whoever serves it next.
void Master::send_clients(uint16_t entry) {
    WorkerPool::Process* const process = pool_.process_of(entry);
    if (process == nullptr || outbox_[entry].empty() || !process->channel.open())
        return;
    std::vector<ClientId> clients;
    std::vector<int> sockets;
    const auto queue_frame = [&] {
        process->channel.queue(static_cast<uint16_t>(MessageType::clients),
            std::span<const ClientId>(clients), sockets);
        clients.clear();
        sockets.clear();
    };
    for (const ClientId client : std::exchange(outbox_[entry], {})) {
        const Escrow::Held* const held = escrow_.find(client);
        if (held == nullptr)
            continue;
        clients.push_back(client);
        sockets.push_back(held->socket.get());
        if (clients.size() == descriptors_max)
            queue_frame();
    }
    if (!clients.empty())
        queue_frame();
    pool_.send(*process);
}

} // namespace chatserv
