#include "master/upgrade/upgrading.h"

#include "master/ledger/holdings.h"
#include "master/upgrade/upgrade_events.h"
#include "shared/system/version.h"

#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

// Closing the last descriptor of a file that was removed takes milliseconds, and a master may be
// killed meanwhile: forget_closed_former().
void close_former(const Ledger& ledger) {
    const Holdings holdings(ledger);
    for (const Holding kind : program_holdings)
        if (const int fd = holdings.find(kind, 1); fd != -1) {
            ::close(fd);
            holdings.forget(kind, 1);
        }
}

} // namespace

void forget_closed_former(const Ledger& ledger) {
    const Holdings holdings(ledger);
    for (const Holding kind : program_holdings)
        if (const int fd = holdings.find(kind, 1); fd != -1 && ::fcntl(fd, F_GETFD) == -1)
            holdings.forget(kind, 1);
}

std::string why_no_upgrade(bool has_keeper, bool starting, bool stopping, bool reloading) {
    if (!has_keeper)
        return "on this system a server cannot be upgraded without an end";
    if (starting)
        return "the server is starting";
    if (reloading)
        return "the server is reading its options again";
    return stopping ? "the server is stopping" : "";
}

std::optional<std::string> Upgrading::begin(const std::string& why_not_now) {
    if (!why_not_now.empty())
        return why_not_now;
    if (book_.under_way())
        return "an upgrade is under way";
    if (program_.empty())
        return "it is not known by which path the server was started";
    events::upgrading(program_);
    book_.begin(image_);
    try {
        trial_.emplace(program_, ledger_);
    } catch (const std::system_error& refusal) {
        fail(refusal.what());
    }
    return std::nullopt;
}

void Upgrading::begin_by_signal(const std::string& why_not_now) {
    if (const auto why_not = begin(why_not_now))
        events::upgrade_refused(*why_not);
}

void Upgrading::look() {
    if (!trial_)
        return;
    const auto verdict = trial_->look();
    if (!verdict)
        return;
    trial_.reset();
    if (!verdict->why_not.empty())
        return fail(verdict->why_not);
    events::upgrade_tried(program_, verdict->version);
    book_.note_version(verdict->version);
    book_.enter(UpgradeState::handing_over);
}

std::optional<std::chrono::steady_clock::time_point> Upgrading::next_look() const {
    return trial_ ? std::optional(trial_->due()) : std::nullopt;
}

void Upgrading::cancel() {
    trial_.reset();
    if (book_.under_way())
        fail("the server stops");
}

// A state that a dead process has left. Its program is known by the number: the new program's
// processes alone have that of the upgrade.
void Upgrading::resume() {
    const UpgradeState left = book_.state();
    if (left == UpgradeState::none || left == UpgradeState::replacing)
        return;
    if (image_.number == book_.number()) {
        book_.note_serving();
        book_.enter(UpgradeState::replacing);
        return events::upgrade_serves(program_version());
    }
    fail(left == UpgradeState::trying
             ? "the master died while it tried the new program"
             : "a process of the server died as the new program took over");
}

void Upgrading::note_takeover(double milliseconds) {
    if (replaces_workers())
        book_.note_takeover(milliseconds);
}

void Upgrading::advance(Replacing::Verdict verdict) {
    if (!replaces_workers() || verdict == Replacing::Verdict::under_way)
        return;
    end_replacing(verdict == Replacing::Verdict::complete
                      ? ""
                      : "the new workers end as they start, so the others stay");
}

// Where there is a reason, the workers of the former program stay.
void Upgrading::end_replacing(const std::string& why_not) {
    close_former(ledger_);
    if (!why_not.empty())
        return fail(why_not);
    end();
    events::upgraded(*finished_);
}

void Upgrading::fail(const std::string& why) {
    book_.note_reason(why);
    end();
    events::upgrade_failed(finished_->reason);
}

void Upgrading::end() {
    book_.end();
    finished_ = book_.last();
}

} // namespace chatserv
