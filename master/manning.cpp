// Master: who serves which entry. What it does when a worker dies, whom it puts in its place, and
// when that is done.
#include "master/master.h"

#include "master/workers/hand_over.h"
#include "master/workers/hindrance.h"
#include "master/workers/takeover.h"
#include "shared/system/logging.h"

#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <sys/wait.h>

namespace chatserv {

namespace {

// More than its channel can hold.
constexpr int last_words_max = 10'000;

std::string end_of(int wait_status) {
    if (WIFSIGNALED(wait_status))
        return fmt::format(
            "killed by signal {} ({})", WTERMSIG(wait_status), ::strsignal(WTERMSIG(wait_status)));
    return fmt::format("exit status {}", WEXITSTATUS(wait_status));
}

std::string cause_of(int wait_status, const WorkerPool::Departure& departure) {
    std::string cause = end_of(wait_status);
    if (!departure.ended_because.empty())
        cause += ", " + departure.ended_because;
    if (departure.cannot_work)
        cause += ", " + words_of(*departure.cannot_work);
    return cause;
}

} // namespace

// NOTE_EXIT. It can be late word of a process that reap_children() has found, whose number a new
// worker may have by now: that one has not ended.
void Master::handle_exit(pid_t pid) {
    WorkerPool::Process* const process = pool_.find(pid);
    int wait_status = 0;
    if (process != nullptr && ::waitpid(pid, &wait_status, WNOHANG) != 0)
        bury(*process, wait_status);
}

// SIGCHLD, which stands for any number of ends. As process 1 of a container, or as a subreaper, the
// master is given the children that others leave behind; a shell that became the master leaves it
// its own. Each has to be reaped, or it stays in the process table for as long as the master lives.
void Master::reap_children() {
    for (;;) {
        int wait_status = 0;
        const pid_t pid = ::waitpid(-1, &wait_status, WNOHANG);
        if (pid == -1 && errno == EINTR)
            continue;
        if (pid <= 0)
            return;
        if (WorkerPool::Process* const process = pool_.find(pid))
            bury(*process, wait_status);
        else
            log_debug("stranger_reaped",
                fmt::format("reaped process {}, which is no worker: {}", pid, end_of(wait_status)),
                {{"pid", pid}});
    }
}

// A worker that has been reaped.
void Master::bury(WorkerPool::Process& process, int wait_status) {
    const pid_t pid = process.pid;
    // Its last words first: who it was done with is not to be handed on.
    if (process.channel.open())
        (void)read_channel(process, last_words_max);

    const WorkerPool::Departure departure = pool_.remove(pid, wait_status);
    if (phase_ == Phase::dismissing)
        return;
    if (keep_own_rights_instead(departure))
        return pool_.replenish();
    const std::string who = departure.entry ? fmt::format("worker {}", number_of(*departure.entry))
                                            : std::string("spare worker");
    const std::string cause = cause_of(wait_status, departure);
    log_warning("worker_died", fmt::format("{} died (pid {}): {}", who, pid, cause),
        {{"pid", pid}, {"worker", departure.entry ? number_of(*departure.entry) : 0}});
    if (!departure.was_ready)
        weigh_failed_start(departure, cause);
    pool_.throttle_after(departure);
    if (departure.entry) {
        for (const ClientId client :
            recover_entry(*departure.entry, segment_, escrow_, doorbells_)) {
            log_error("user_lost",
                fmt::format(
                    "user {} left: its slot was overwritten by its worker", index_of(client.slot)),
                {{"slot", index_of(client.slot)}});
            let_go(client, Departure::lost);
        }
        stopped_reading_[index_of(*departure.entry)] = false;
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

void Master::man_entries() {
    for (const EntryId entry :
        pool_.man_entries([this](EntryId vacant) { return escrow_.clients_of(vacant); })) {
        WorkerPool::Process& process = *pool_.process_of(entry);
        outbox_[index_of(entry)] = clients_to_hand_over(entry, segment_, escrow_);
        for (const ClientId client : outbox_[index_of(entry)])
            escrow_.find(client)->moving = true;
        takeovers_.manned(
            entry, process.pid, static_cast<uint32_t>(outbox_[index_of(entry)].size()));
        send_clients(entry);
        if (phase_ == Phase::draining || phase_ == Phase::finishing)
            process.channel.queue(MessageType::stop_reading);
        if (phase_ == Phase::finishing)
            process.channel.queue(MessageType::finish);
        pool_.send(process);
        log_info("worker_started", // while it is at work already
            fmt::format("worker {} started (pid {})", number_of(entry), process.pid),
            {{"worker", number_of(entry)}, {"pid", process.pid}});
    }
    if (phase_ == Phase::starting && pool_.all_manned())
        start_serving();
}

// In frames of as many as one message can carry. Clients of an entry that nobody serves wait: all
// of them are sent to whoever serves it next.
void Master::send_clients(EntryId entry) {
    WorkerPool::Process* const process = pool_.process_of(entry);
    if (process == nullptr || outbox_[index_of(entry)].empty() || !process->channel.open())
        return;
    std::vector<ClientId> clients;
    std::vector<int> sockets;
    const auto queue_frame = [&] {
        process->channel.queue(MessageType::clients, std::span<const ClientId>(clients), sockets);
        clients.clear();
        sockets.clear();
    };
    for (const ClientId client : std::exchange(outbox_[index_of(entry)], {})) {
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

// The client's takeover is over.
void Master::is_served(Escrow::Held& held) {
    if (!std::exchange(held.moving, false))
        return;
    takeovers_.arrived(held.entry);
    finish_takeover(held.entry);
}

void Master::finish_takeover(EntryId entry) {
    const auto takeover = takeovers_.take_finished(entry);
    if (!takeover)
        return;
    const double milliseconds =
        std::chrono::duration<double, std::milli>(clock_.now() - takeover->begun).count();
    const std::string again =
        takeover->deaths == 1 ? "" : fmt::format(" ({} deaths)", takeover->deaths);
    log_info("taken_over",
        fmt::format("worker {} taken over by pid {} in {:.2f} ms: {}{}; {} users moved, {} bytes "
                    "settled by the kernel's account",
            number_of(entry), takeover->pid, milliseconds, takeover->cause, again, takeover->users,
            takeover->settled_bytes),
        {{"worker", number_of(entry)}, {"pid", takeover->pid}, {"milliseconds", milliseconds},
            {"cause", takeover->cause}, {"deaths", takeover->deaths}, {"users", takeover->users},
            {"settled_bytes", static_cast<int64_t>(takeover->settled_bytes)}});
    tell_takeover(*takeover, milliseconds);
    replenish_pool();
}

} // namespace chatserv
