#include "master/metrics/metrics_resources.h"

#include "config.h"
#include "master/clients/listeners.h"
#include "master/ledger/holdings.h"
#include "shared/system/failure.h"

#include <fmt/core.h>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

constexpr const char* program_name = "chatserv-metrics";

#ifdef HAVE_METRICS
constexpr bool is_built = true;
#else
constexpr bool is_built = false;
#endif

std::vector<Listener> make_few_listeners(const Options& options) {
    std::vector<Listener> listeners = make_listeners(options.metrics);
    if (listeners.size() > metrics_listeners_max)
        throw Failure(EX_USAGE, fmt::format("--metrics stands for {} addresses: at most {} can be "
                                            "listened on",
                                    listeners.size(), metrics_listeners_max));
    return listeners;
}

} // namespace

std::optional<ProgramFile> find_metrics_program(const Options& options, const std::string& argv0) {
    if (options.metrics.empty())
        return std::nullopt;
    if (!is_built)
        throw Failure(EX_UNAVAILABLE,
            "this chatserv was built without --metrics, for lack of cpp-httplib: leave the option "
            "out, or build chatserv with -Dmetrics=enabled");
    return ProgramFile(program_name, argv0);
}

MetricsResources get_metrics_resources(const Options& options, const std::string& argv0) {
    MetricsResources resources{.program = find_metrics_program(options, argv0)};
    if (resources.wanted())
        resources.listeners = make_few_listeners(options);
    return resources;
}

void note_metrics_resources(const MetricsResources& resources, const Ledger& ledger) {
    const Holdings holdings(ledger);
    if (resources.wanted() && resources.program->fd() != -1)
        holdings.note(Holding::metrics_program, 0, resources.program->fd());
    for (size_t index = 0; index < resources.listeners.size(); ++index)
        holdings.note(Holding::metrics_listener, static_cast<uint32_t>(index),
            resources.listeners[index].fd());
}

MetricsResources resume_metrics_resources(
    const Ledger& ledger, const Options& options, const std::string& argv0, int former) {
    MetricsResources resources{};
    if (former != -1)
        resources.program.emplace(UniqueFd(former), program_name);
    else
        resources.program = find_metrics_program(options, argv0);
    const Holdings holdings(ledger);
    for (uint32_t index = 0; index < metrics_listeners_max; ++index)
        if (const int fd = holdings.find(Holding::metrics_listener, index); fd != -1)
            resources.listeners.emplace_back(UniqueFd(fd));
    return resources;
}

} // namespace chatserv
