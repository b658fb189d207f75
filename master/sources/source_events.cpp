#include "master/sources/source_events.h"

#include "shared/system/logging.h"

#include <fmt/core.h>

namespace chatserv {

std::string silent_for(std::chrono::milliseconds silence) {
    return fmt::format("it sent nothing for {} s", static_cast<double>(silence.count()) / 1000);
}

namespace events {

void source_connected(const SourceAddress& source, ClientId client) {
    log_info("source_connected",
        fmt::format("source {} is connected: user {}", source.name(), index_of(client.slot)),
        {{"source", source.name()}, {"role", std::string(name_of(source.role))},
            {"slot", index_of(client.slot)}, {"generation", client.generation}});
}

void source_waits(
    const SourceAddress& source, const std::string& why, std::chrono::milliseconds pause) {
    log_warning("source_waits",
        fmt::format("source {} is not connected: {}; the next try is in {:.1f} s", source.name(),
            why, static_cast<double>(pause.count()) / 1000),
        {{"source", source.name()}, {"reason", why}, {"pause_ms", int64_t{pause.count()}}});
}

void source_dropped(const SourceAddress& source, uint64_t datagrams, const DatagramDrops& all) {
    log_warning("source_dropped",
        fmt::format("source {} has lost {} datagram{}, {} in all: {}", source.name(), datagrams,
            datagrams == 1 ? "" : "s", all.total, all.why),
        {{"source", source.name()}, {"datagrams", static_cast<int64_t>(datagrams)},
            {"total", static_cast<int64_t>(all.total)}, {"reason", all.why}});
}

void source_removed(const SourceAddress& source) {
    log_info("source_removed",
        fmt::format("source {} is gone: it is not in the configuration any more", source.name()),
        {{"source", source.name()}});
}

void source_over(const SourceAddress& source) {
    log_info("source_over", fmt::format("source {} has ended", source.name()),
        {{"source", source.name()}});
}

} // namespace events
} // namespace chatserv
