#include "master/reload/reloading.h"

#include "master/config/proxy_terms.h"
#include "master/config/relay_settings_of.h"
#include "master/config/unix_access.h"
#include "master/ledger/holdings.h"
#include "master/ledger/log_word.h"
#include "master/ledger/master_point.h"
#include "master/ledger/source_names.h"
#include "master/reload/reload_events.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/relay_settings.h"
#include "shared/system/errors.h"
#include "shared/system/failure.h"
#include "shared/system/logging.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <sysexits.h>
#include <system_error>

namespace chatserv {

namespace {

uint64_t steady_ns() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<uint64_t>(std::chrono::nanoseconds(now).count());
}

// All of them, or throws std::system_error.
void watch(const std::vector<Listener>& listeners, Acceptor& acceptor) {
    for (const Listener& listener : listeners) {
        const int error = acceptor.watch(listener);
        if (error == 0)
            continue;
        for (const Listener& other : listeners)
            acceptor.unwatch(other);
        throw_error(error, "watching a listen socket");
    }
}

int exit_status_of(const std::exception& failure) {
    const auto* const ours = dynamic_cast<const Failure*>(&failure);
    return ours != nullptr ? ours->exit_status() : EX_OSERR;
}

} // namespace

// The dead master may have put options in force and applied none of them. This master has begun
// with them, and the workers are told when they say hello.
void Reloading::resume() {
    if (subjects_.ledger.standing().options_number == 0)
        return;
    change_logging(subjects_.options.log_level, subjects_.options.log_format);
    publish_settings();
    const Legacy legacy = read_legacy(subjects_.legacy.get());
    if (legacy.reload.number <= book_.ended())
        return book_.note_last(legacy.reload);
    renew_if_log_changed(legacy.reload);
    conclude(legacy.reload);
}

std::string Reloading::ask(const std::string& asked_by, bool stopping) {
    open_log_again();
    if (stopping)
        return "the server is stopping";
    events::reloading(asked_by);
    (void)book_.ask();
    return "";
}

void Reloading::ask_by_signal(bool stopping) {
    if (const std::string why_not = ask("SIGHUP", stopping); !why_not.empty())
        events::reload_refused(why_not);
}

// The workers, the metrics process and the bridge too have to close the old file. The master waits
// for none of them: until its channel has brought the new file, a worker goes on writing to the old
// one.
void Reloading::open_log_again() {
    LogFile& log_file = subjects_.log_file;
    if (!log_file.is_file())
        return;
    if (const int error = log_file.open_again())
        return events::log_not_opened(log_file.path(), error);
    events::log_opened(log_file.path());
    subjects_.workforce.send_log_file();
    renew_companions();
}

bool Reloading::look(bool may_begin) {
    if (!reading_ && may_begin && book_.any_to_be_made())
        begin();
    if (!reading_)
        return false;
    auto verdict = reading_->look();
    if (!verdict) {
        if (reading_->said_all()) // until its exit is told there is nothing to hear
            events_.unwatch_readable(reading_->answer_fd());
        return false;
    }
    end_reading();
    ReloadReport report{.failure = verdict->failure, .exit_status = verdict->exit_status};
    if (verdict->options) {
        try {
            report = carry_out(std::move(*verdict->options));
        } catch (const std::exception& failure) {
            report = {.failure = failure.what(), .exit_status = exit_status_of(failure)};
        }
    }
    const bool changed = !report.changed.empty();
    report.number = std::exchange(number_, 0);
    conclude(std::move(report));
    return changed;
}

void Reloading::begin() {
    number_ = book_.begin_reading();
    int error = 0;
    try {
        const Legacy legacy = read_legacy(subjects_.legacy.get());
        reading_.emplace(subjects_.own_program, subjects_.program, legacy.command_line);
        error = events_.watch_readable(reading_->answer_fd(), tag_);
    } catch (const std::system_error& refusal) {
        error = refusal.code().value();
    }
    if (error == 0)
        return;
    end_reading();
    conclude({.number = std::exchange(number_, 0),
        .failure = std::string("no process can be started that reads the options: ") +
                   std::strerror(error),
        .exit_status = EX_OSERR});
}

void Reloading::end_reading() {
    if (reading_)
        events_.unwatch_readable(reading_->answer_fd());
    reading_.reset();
}

void Reloading::conclude(ReloadReport report) {
    if (report.failure.empty())
        events::reloaded(report);
    else
        events::reload_failed(report.failure);
    book_.end(std::move(report));
}

// Throws Failure or std::system_error, and has changed nothing then.
ReloadReport Reloading::carry_out(Options wanted) {
    const std::vector<Listener>& present = subjects_.acceptor.listeners();
    if (wanted.listens_by_default() && std::ranges::any_of(present, &Listener::is_handed_over))
        wanted.listen.clear(); // as at the start
    ReloadPlan plan = plan_reload(subjects_.options, wanted, room_of(subjects_.segment.header()));
    ReloadReport report{.number = number_, .changed = plan.changed, .kept = plan.kept};
    if (plan.changed.empty())
        return report;
    const SourceChanges sources = plan_sources(subjects_.sources, plan.options);
    set_unix_access(plan.options);
    ListenerChanges changes = plan_listeners(present, plan.options.listen, subjects_.ledger);
    put_in_force(plan, report, changes, sources);
    apply();
    subjects_.sources.follow(sources.all);
    renew_if_log_changed(report);
    change_listeners(changes);
    master_point(MasterPoint::reload_applied);
    return report;
}

// Noted first, then put in force by one store. Until then a successor closes what is noted here.
void Reloading::put_in_force(const ReloadPlan& plan, const ReloadReport& report,
    ListenerChanges& changes, const SourceChanges& sources) {
    StandingWords& standing = subjects_.ledger.standing();
    const uint32_t former = standing.options_number;
    Legacy legacy = read_legacy(subjects_.legacy.get());
    legacy.options = plan.options;
    legacy.listeners = changes.in_force;
    legacy.sources = sources.all;
    legacy.reload = report;
    UniqueFd written = write_legacy(legacy);
    watch(changes.opened, subjects_.acceptor);
    const Holdings holdings(subjects_.ledger);
    holdings.note(Holding::legacy, former + 1, written.get());
    for (const Listener& listener : changes.opened)
        holdings.note_listener(
            listener.number(), listener.fd(), listener.role(), listener.proxied());
    for (const uint32_t number : sources.new_numbers)
        begin_source(subjects_.ledger.places()[number - 1]);
    master_point(MasterPoint::reload_noted);
    store_release(standing.options_number, former + 1);
    master_point(MasterPoint::reload_committed);
    subjects_.legacy = std::move(written); // closes the former one
    holdings.forget(Holding::legacy, former);
    subjects_.options = plan.options;
}

// All of it can be done again.
void Reloading::apply() {
    const Options& options = subjects_.options;
    change_logging(options.log_level, options.log_format);
    publish_settings();
    master_point(MasterPoint::reload_published);
    subjects_.clients.follow({options.allow, options.deny, options.max_per_address},
        {.max_rate_bytes = options.max_rate_bytes, .idle_timeout = options.idle_timeout},
        options.users);
    subjects_.acceptor.follow(options.keepalive_seconds, proxy_terms_of(options));
    subjects_.workforce.follow(options);
}

// The metrics process and the bridge get the level and the format of their logs when they are
// started.
void Reloading::renew_if_log_changed(const ReloadReport& report) {
    if (std::ranges::any_of(report.changed, [](const OptionChange& change) {
            return change.option == "log-level" || change.option == "log-format";
        }))
        renew_companions();
}

void Reloading::renew_companions() const {
    subjects_.metrics.renew();
    subjects_.bridge.renew();
}

// Where the workers, the keeper and the metrics process find them.
void Reloading::publish_settings() const {
    const Options& options = subjects_.options;
    SettingsControl& control = subjects_.segment.settings();
    RelaySettings settings = relay_settings_of(options);
    const auto former = settings_in_force(control);
    const bool same_timeout = former && former->idle_timeout_ms == settings.idle_timeout_ms;
    settings.idle_changed_ns = same_timeout ? former->idle_changed_ns : steady_ns();
    if (!former || std::memcmp(&*former, &settings, sizeof settings) != 0)
        chatserv::put_in_force(control, settings);
    store_release(subjects_.ledger.standing().log_word,
        log_word_of({.level = options.log_level, .format = options.log_format}));
    store_release(subjects_.ledger.standing().users_limit, options.users);
    store_release(subjects_.ledger.standing().workers_wanted, options.workers);
}

// Those that are wanted listen before the others are closed.
void Reloading::change_listeners(ListenerChanges& changes) {
    for (Listener& listener : changes.opened)
        subjects_.acceptor.add(std::move(listener));
    for (const ListenerNote& note : changes.in_force) {
        subjects_.acceptor.note_serves(note.number, note.serves, note.role, note.proxied);
        Holdings(subjects_.ledger).note_role(note.number, note.role, note.proxied);
    }
    for (const uint32_t number : changes.unwanted) {
        subjects_.workforce.add(
            subjects_.acceptor.remove(number, subjects_.clients, subjects_.choose_entry));
        master_point(MasterPoint::listener_closed);
        Holdings(subjects_.ledger).forget(Holding::listener, number);
    }
}

} // namespace chatserv
