#include "worker/clients/client_events.h"

#include "shared/system/logging.h"

#include <fmt/core.h>

namespace chatserv::events {

void line_cut(const Client& client) {
    log_info("line_cut",
        fmt::format("user {} sent a line that is longer than --line-max: it is cut",
            index_of(client.id.slot)),
        {{"slot", index_of(client.id.slot)}, {"generation", client.id.generation}});
}

} // namespace chatserv::events
