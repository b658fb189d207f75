#include "master/metrics/metrics_process.h"

#include "master/metrics/metrics_events.h"
#include "master/workers/reaping.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/fd.h"
#include "shared/system/handler_line.h"

#include <string>
#include <system_error>

namespace chatserv {

MetricsProcess::MetricsProcess(const MetricsResources& resources, const Options& options,
    const Segment& segment, const Ledger& ledger, EventQueue& events, uint32_t upgrade) :
    resources_(resources),
    options_(options), segment_(segment), ledger_(ledger),
    process_(ledger.metrics(), events, upgrade) {}

void MetricsProcess::take_over() {
    if (process_.take_over() == CompanionProcess::Left::outdated)
        (void)process_.end();
}

bool MetricsProcess::handle_exit(pid_t pid) {
    if (pid != process_.pid())
        return false;
    if (process_.has_ended(true))
        bury();
    return true;
}

void MetricsProcess::reap_child() {
    if (process_.has_ended(false))
        bury();
}

void MetricsProcess::bury() {
    const CompanionProcess::Death death = process_.bury();
    if (!death.is_ended)
        events::metrics_died(
            death.pid, text_of_wait_status(death.wait_status), process_.delay_after(death));
}

void MetricsProcess::look(bool wanted) {
    const Clock::time_point now = Clock::now();
    if (process_.watch_exit(now))
        bury();
    if (!wanted)
        (void)process_.end();
    else if (resources_.wanted() && process_.start_is_due(now))
        start();
}

void MetricsProcess::start() {
    try {
        const UniqueFd segment = open_to_read(segment_.fd());
        const UniqueFd ledger = open_to_read(ledger_.fd());
        process_.start(*resources_.program,
            [&](int lifeline) { return described(lifeline, segment.get(), ledger.get()); });
    } catch (const std::system_error& refusal) {
        events::metrics_not_started(refusal.what());
        return process_.put_off();
    }
    events::metrics_started(resources_.listeners, process_.pid());
}

// The arguments: master/metrics/server/start.h.
ProgramFile::Child MetricsProcess::described(int lifeline, int segment, int ledger) const {
    ProgramFile::Child child{.title = "chatserv: metrics",
        .arguments = first_arguments(options_, ledger_),
        .inherited = {lifeline, segment, ledger},
        .pid_word = {},
        .say_why_not = [](int /*error*/) {
            write_line_from_handler("chatserv: the metrics program cannot be executed\n");
        }};
    for (const Listener& listener : resources_.listeners)
        child.inherited.push_back(listener.fd());
    for (const int fd : child.inherited)
        child.arguments.push_back(std::to_string(fd));
    return child;
}

} // namespace chatserv
