#include "master/workers/renewal.h"

#include "master/ledger/master_point.h"
#include "shared/ipc/rendezvous.h"
#include "shared/segment/atomic_word.h"

#include <algorithm>
#include <fmt/core.h>

namespace chatserv {

namespace {

std::chrono::milliseconds grace_for(std::chrono::milliseconds limit) {
    return std::min(limit / 4, std::chrono::milliseconds(200));
}

} // namespace

void Renewal::renew(WorkerProcess& process) {
    if (process.ended())
        return;
    pool_.hang_up(process);
    process.await_introduction();
    const Clock::time_point now = Clock::now();
    Page& page = pages_[process.pid()]; // there is one if an earlier channel is unanswered
    page.offered = false;
    offer(process, page, now);
    schedule(now);
}

// A death in the middle leaves the process without a channel, or with one that nobody reads: the
// next master gives it another.
void Renewal::offer(WorkerProcess& process, Page& page, Clock::time_point now) {
    page.offer_at = now + resend_pause;
    const UniqueFd far_end = pool_.open_channel(process);
    if (!far_end)
        return;
    master_point(MasterPoint::channel_made); // MW11
    // Most often a process without a rendezvous has died, and its exit will be told. One that lives
    // on will be overdue.
    if (offer_channel(process.rendezvous(), far_end.get()) == Offered::not_now) {
        pool_.hang_up(process);
        return;
    }
    master_point(MasterPoint::channel_offered);
    page.offered = true;
    if (!page.due)
        page.due = clock_.now(now) + limit_;
}

void Renewal::look(Clock::time_point now) {
    for (auto page = pages_.begin(); page != pages_.end();) {
        WorkerProcess* const process = pool_.find(page->first);
        if (process == nullptr || process->ended()) {
            page = pages_.erase(page);
            continue;
        }
        if (page->second.offered)
            judge(*process, page->second, now);
        else if (page->second.offer_at <= now)
            offer(*process, page->second, now);
        ++page;
    }
    schedule(now);
}

void Renewal::judge(WorkerProcess& process, Page& page, Clock::time_point now) {
    const ServedClock::time_point served = clock_.now(now);
    if (served < *page.due)
        return;
    const uint64_t beat_ns = load_acquire(heartbeats_[index_of(process.seat())].beat_ns);
    if (page.overdue && beat_ns != page.beat_ns)
        pool_.end(process, fmt::format("it did not introduce itself on its new channel for {} ms "
                                       "(--hang-limit)",
                               limit_.count()));
    page.overdue = true;
    page.beat_ns = beat_ns;
    page.due = served + grace_for(limit_);
}

void Renewal::schedule(Clock::time_point now) {
    next_look_.reset();
    const ServedClock::time_point served = clock_.now(now);
    for (const auto& [pid, page] : pages_) {
        const Clock::time_point look = page.offered ? now + (*page.due - served) : page.offer_at;
        next_look_ = std::min(next_look_.value_or(look), look);
    }
}

} // namespace chatserv
