// Master: what it does when there are fewer workers than asked for. It serves with those that it
// has, says how many and why, and ends only if it never had one.
#include "master/master.h"
#include "master/workers/hindrance.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/user_table.h"
#include "shared/system/failure.h"
#include "shared/system/logging.h"

#include <algorithm>
#include <chrono>
#include <fmt/core.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <utility>
#include <vector>

namespace chatserv {

namespace {

// Failures in a row, with no worker becoming ready, after which a server that has none does not
// start. With the delays between them they take a second and a half.
constexpr uint32_t failed_starts_max = 5;

// While workers are missing the master looks more often than that, for it tries to start them. What
// is longer is a standstill of its own, or of the machine.
constexpr std::chrono::milliseconds look_interval_max{1500};

} // namespace

// Once a turn. A shortage is told when it is known how many workers there are: none is on its way
// any more. It is told again only where a worker has died since and cannot be replaced.
void Master::look_at_staff() {
    if (phase_ != Phase::starting && phase_ != Phase::serving)
        return;
    const auto& shortage = pool_.shortage();
    if (!shortage) {
        hold_up_.reset();
        if (std::exchange(manned_when_told_, std::nullopt))
            log_info("workers_complete",
                fmt::format("no worker is missing any more: {}", staff_text()),
                {{"workers", pool_.count_manned()}, {"spares", pool_.count_spares()}});
        return;
    }
    if (pool_.any_on_its_way())
        return;
    const uint32_t manned = pool_.count_manned();
    if (phase_ == Phase::starting) {
        if (manned > 0)
            start_serving();
        else if (shortage->failures >= failed_starts_max)
            throw Failure(EX_UNAVAILABLE, fmt::format("no worker could be started: {}; {}",
                                              shortage->why, remedy_of(shortage->error)));
        else
            return;
    }
    limit_hold_up();
    if (manned >= manned_when_told_.value_or(manned + 1)) {
        manned_when_told_ = manned;
        return;
    }
    manned_when_told_ = manned;
    const uint32_t waiting = users_without_worker();
    const std::string wait =
        waiting == 0 ? "" : fmt::format(" (users waiting for a worker: {})", waiting);
    log_warning("workers_missing",
        fmt::format("{}: {}; trying again{}", staff_text(), shortage->why, wait),
        {{"workers", manned}, {"spares", pool_.count_spares()}, {"users_waiting", waiting},
            {"reason", shortage->why}});
}

// "2 of 8 workers run", and the spares where no worker is missing.
std::string Master::staff_text() const {
    const uint32_t manned = pool_.count_manned();
    std::string text = fmt::format("{} of {} workers run", manned, outbox_.size());
    if (manned == outbox_.size() && pool_.spares_wanted() > 0)
        text += fmt::format(", and {} of {} spares", pool_.count_spares(), pool_.spares_wanted());
    return text;
}

uint32_t Master::users_without_worker() const {
    uint32_t users = 0;
    for (uint32_t index = 0; index < outbox_.size(); ++index)
        if (const EntryId entry{index}; !pool_.manned(entry))
            users += escrow_.clients_of(entry);
    return users;
}

// Nobody reads the log for users without a worker. Once it is full, all others would wait for them,
// and no worker times them: so here they have the stall limit from then on, as a slow reader has.
void Master::limit_hold_up() {
    const LogControl& log = segment_.log_control();
    const uint64_t wanted = load_acquire(log.room_wanted);
    if (wanted > load_acquire(log.head))
        return; // nonsense, for which all of them would be disconnected
    std::vector<ClientId> in_the_way;
    for (uint32_t index = 0; index < outbox_.size(); ++index)
        if (const EntryId entry{index}; !pool_.manned(entry))
            for (const ClientId client : escrow_.all_of(entry))
                if (cursor_of(UserTable(segment_)[client.slot]).log_offset < wanted)
                    in_the_way.push_back(client);
    if (in_the_way.empty()) {
        hold_up_.reset();
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    HoldUp& hold_up = hold_up_ ? *hold_up_ : hold_up_.emplace(HoldUp{now, {}});
    hold_up.lasted +=
        std::min<std::chrono::nanoseconds>(now - hold_up.last_look, look_interval_max);
    hold_up.last_look = now;
    const bool waits = segment_.header().settings.slow_policy == SlowPolicy::wait;
    if (waits && hold_up.lasted < stall_limit_)
        return;
    hold_up_.reset();
    for (const ClientId client : in_the_way) {
        const std::string reason = "stalled: no worker could be started for it, and it held up the "
                                   "others for the stall limit";
        log_info("left", fmt::format("user {} left: {}", index_of(client.slot), reason),
            {{"slot", index_of(client.slot)}, {"reason", reason}});
        let_go(client, Departure::stalled);
    }
    doorbells_.ring_all(); // whoever waits for room can have it now
}

// A process has ended before it was ready. At the start that is the end of the server where the
// next would end likewise: it is told why, in the process's own words where it had any.
void Master::weigh_failed_start(const WorkerPool::Departure& departure, const std::string& cause) {
    const auto& words = departure.cannot_work;
    const bool may_pass = words ? is_shortage(words->error) : !WIFEXITED(departure.wait_status);
    if (phase_ == Phase::starting && !may_pass) {
        if (words)
            throw Failure(
                exit_status_of(*words), fmt::format("no worker can start: {}", words_of(*words)));
        throw Failure(EX_UNAVAILABLE,
            fmt::format("the workers end as they start, with {}: chatserv-worker must be of the "
                        "same build as chatserv",
                cause));
    }
    if (phase_ == Phase::starting || words)
        pool_.start_failed(words ? words_of(*words) : cause, words ? words->error : 0);
}

// Nobody has asked for the user that root's workers become by default. Where the system refuses
// that (a user namespace or a container that does not have the user, or no such right), they stay
// what the master is.
bool Master::keep_own_rights_instead(const WorkerPool::Departure& departure) {
    if (!worker_user_by_default_ || !departure.cannot_work ||
        departure.cannot_work->hindrance != Hindrance::user ||
        is_shortage(departure.cannot_work->error))
        return false;
    if (std::exchange(keeps_own_rights_, true))
        return true; // it was started before the first of them failed
    log_warning("own_rights_kept",
        fmt::format("the workers keep the rights of root, which started the server: {}",
            words_of(*departure.cannot_work)));
    worker_user_ = "root";
    pool_.keep_own_rights();
    return true;
}

} // namespace chatserv
