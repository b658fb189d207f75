#include "master/workers/worker_events.h"

#include "master/workers/reaping.h"
#include "shared/system/logging.h"

#include <fmt/core.h>

namespace chatserv::events {

namespace {

// "2 of 8 workers run", and the spares where no worker is missing.
std::string text_of(const Staff& staff) {
    std::string text = fmt::format("{} of {} workers run", staff.served, staff.entries);
    if (staff.all_served() && staff.spares_wanted > 0)
        text += fmt::format(", and {} of {} spares", staff.spares, staff.spares_wanted);
    return text;
}

std::string as_whom(const std::string& user) {
    return user.empty() ? "" : " as " + user;
}

} // namespace

void worker_ready(pid_t pid) {
    log_debug("worker_ready", fmt::format("spare worker ready (pid {})", pid), {{"pid", pid}});
}

void worker_started(EntryId entry, pid_t pid) {
    log_info("worker_started", fmt::format("worker {} started (pid {})", number_of(entry), pid),
        {{"worker", number_of(entry)}, {"pid", pid}});
}

void worker_died(const WorkerPool::Exit& exit, const std::string& cause) {
    const std::string name =
        exit.entry ? fmt::format("worker {}", number_of(*exit.entry)) : std::string("spare worker");
    log_warning("worker_died", fmt::format("{} died (pid {}): {}", name, exit.pid, cause),
        {{"worker", exit.entry ? number_of(*exit.entry) : 0}, {"pid", exit.pid}, {"cause", cause}});
}

void worker_retired(EntryId entry) {
    log_info("worker_retired", fmt::format("worker {} has retired", number_of(entry)),
        {{"worker", number_of(entry)}});
}

void taken_over(const Takeover& takeover, double milliseconds) {
    const std::string deaths =
        takeover.deaths == 1 ? "" : fmt::format(" ({} deaths)", takeover.deaths);
    log_info("taken_over",
        fmt::format("worker {} taken over by pid {} in {:.2f} ms: {}{}; {} users moved, {} bytes "
                    "settled by the kernel's account",
            number_of(takeover.entry), takeover.pid, milliseconds, takeover.cause, deaths,
            takeover.users, takeover.settled_bytes),
        {{"worker", number_of(takeover.entry)}, {"pid", takeover.pid},
            {"milliseconds", milliseconds}, {"cause", takeover.cause}, {"deaths", takeover.deaths},
            {"users", takeover.users},
            {"settled_bytes", static_cast<int64_t>(takeover.settled_bytes)}});
}

void drain_begun(EntryId entry, uint32_t users) {
    log_info("drain_begun",
        fmt::format("worker {} is being drained: {} users to move", number_of(entry), users),
        {{"worker", number_of(entry)}, {"users", users}});
}

void drained(EntryId entry, uint64_t users, double milliseconds) {
    log_info("drained",
        fmt::format("worker {} drained in {:.2f} ms: {} users moved to other workers",
            number_of(entry), milliseconds, users),
        {{"worker", number_of(entry)}, {"users", static_cast<int64_t>(users)},
            {"milliseconds", milliseconds}});
}

void drain_ended(EntryId entry) {
    log_info("drain_ended", fmt::format("worker {} takes users again", number_of(entry)),
        {{"worker", number_of(entry)}});
}

void moved(ClientId client, EntryId from, EntryId to) {
    log_debug("moved",
        fmt::format("user {} moved from worker {} to worker {}", index_of(client.slot),
            number_of(from), number_of(to)),
        {{"slot", index_of(client.slot)}, {"from", number_of(from)}, {"to", number_of(to)}});
}

void spread(uint32_t workers, Spread::Reason reason) {
    struct Words {
        const char* name;
        const char* text;
    };
    const Words words = [reason]() -> Words {
        switch (reason) {
        case Spread::Reason::lone_lines:
            return {"lone_lines", "a line takes long to reach all users"};
        case Spread::Reason::busy:
            return {"busy", "the workers are busy all the time; trying whether more relay more"};
        case Spread::Reason::no_gain:
            return {"no_gain", "more workers did not relay more"};
        case Spread::Reason::fewer:
            return {"fewer", "trying whether fewer relay as much"};
        case Spread::Reason::loss:
            return {"loss", "fewer workers relayed less"};
        case Spread::Reason::calm:
            break;
        }
        return {"calm", "fewer are enough"};
    }();
    log_info("spread",
        fmt::format("the users are served by {} worker{}: {}", workers, workers == 1 ? "" : "s",
            words.text),
        {{"workers", workers}, {"reason", words.name}});
}

void protocol_broken(pid_t pid) {
    log_error("protocol_broken",
        fmt::format("the worker with pid {} broke the protocol: ending it", pid), {{"pid", pid}});
}

void stranger_reaped(pid_t pid, std::optional<int> wait_status) {
    log_debug("stranger_reaped",
        fmt::format(
            "reaped process {}, which is no worker: {}", pid, text_of_wait_status(wait_status)),
        {{"pid", pid}});
}

void not_received(EntryId entry, size_t clients) {
    log_warning("not_received",
        fmt::format("worker {} had no descriptors left for {} users; sending them again",
            number_of(entry), clients),
        {{"worker", number_of(entry)}, {"users", static_cast<int64_t>(clients)}});
}

void log_file_lost(pid_t pid) {
    log_warning("log_file_lost",
        fmt::format("the worker with pid {} had no descriptor left for the log file; sending it "
                    "again",
            pid),
        {{"pid", pid}});
}

void worker_not_started(const std::string& why) {
    log_debug("worker_not_started", fmt::format("no process could be started: {}", why),
        {{"reason", why}});
}

void start_delayed(uint32_t deaths, std::chrono::milliseconds delay) {
    log_warning("start_delayed",
        fmt::format("{} worker processes in a row ended before their first work: the next is "
                    "started in {} ms",
            deaths, delay.count()),
        {{"deaths", deaths}, {"delay_ms", delay.count()}});
}

void workers_missing(const Staff& staff, const std::string& why, uint32_t users_waiting) {
    const std::string waiting =
        users_waiting == 0 ? "" : fmt::format(" (users waiting for a worker: {})", users_waiting);
    log_warning("workers_missing",
        fmt::format("{}: {}; trying again{}", text_of(staff), why, waiting),
        {{"workers", staff.served}, {"spares", staff.spares}, {"users_waiting", users_waiting},
            {"reason", why}});
}

void workers_complete(const Staff& staff) {
    log_info("workers_complete", fmt::format("no worker is missing any more: {}", text_of(staff)),
        {{"workers", staff.served}, {"spares", staff.spares}});
}

void own_rights_kept(const std::string& why) {
    log_warning("own_rights_kept",
        fmt::format("the workers keep the rights of root, which started the server: {}", why),
        {{"reason", why}});
}

void confined(const std::string& user, const std::string& by) {
    log_info("confinement",
        fmt::format("workers run{}, confined to their clients by {}", as_whom(user), by),
        {{"user", user}, {"confinement", by}});
}

void not_confined(const std::string& user, const std::string& why) {
    log_warning("confinement",
        fmt::format("workers run{}, not confined to their clients: {}", as_whom(user), why),
        {{"user", user}, {"confinement", "none"}});
}

} // namespace chatserv::events
