#include "master/workers/staffing.h"

#include "master/workers/hindrance.h"
#include "master/workers/worker_events.h"
#include "shared/system/failure.h"

#include <fmt/core.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

// After so many failures in a row, with no process becoming ready, a server that has no worker does
// not start. With the delays between them they take a second and a half.
constexpr uint32_t failed_starts_max = 5;

} // namespace

void Staffing::note_failure(const std::optional<StartFailure>& failure) {
    if (!failure)
        return;
    const uint32_t failures = shortage_ ? shortage_->failures + 1 : 1;
    shortage_ = {.latest = *failure, .failures = failures};
}

void Staffing::note_ready(const Staff& staff) {
    if (!shortage_)
        return;
    shortage_->failures = 0;
    if (staff.complete())
        shortage_.reset();
}

void Staffing::note_failed_start(
    const WorkerPool::Exit& exit, const std::string& cause, bool starting) {
    const auto& words = exit.cannot_work;
    const bool can_pass =
        words ? is_shortage(words->error) : !(exit.wait_status && WIFEXITED(*exit.wait_status));
    if (starting && !can_pass) {
        if (words)
            throw Failure(
                exit_status_of(*words), fmt::format("no worker can start: {}", words_of(*words)));
        throw Failure(EX_UNAVAILABLE,
            fmt::format("the workers end as they start, with {}: chatserv-worker must be of the "
                        "same build as chatserv",
                cause));
    }
    if (starting || words)
        note_failure(StartFailure{
            .why = words ? words_of(*words) : cause, .error = words ? words->error : 0});
}

Staffing::Verdict Staffing::look(const Staff& staff, uint32_t users_waiting, bool starting) {
    if (!starting && staff.complete()) // a reload may have asked for fewer
        shortage_.reset();
    if (!shortage_) {
        if (std::exchange(served_when_told_, std::nullopt))
            events::workers_complete(staff);
        return Verdict::complete;
    }
    // How many workers there are is known when no process is on its way any more.
    if (staff.starting > 0)
        return Verdict::undecided;
    if (starting && staff.served == 0) {
        if (shortage_->failures >= failed_starts_max)
            throw Failure(
                EX_UNAVAILABLE, fmt::format("no worker could be started: {}; {}",
                                    shortage_->latest.why, remedy_of(shortage_->latest.error)));
        return Verdict::undecided;
    }
    if (starting)
        return Verdict::start_serving;
    const bool told = served_when_told_ && staff.served >= *served_when_told_;
    served_when_told_ = staff.served;
    if (!told)
        events::workers_missing(staff, shortage_->latest.why, users_waiting);
    return Verdict::workers_missing;
}

} // namespace chatserv
