// The lines of the log about a worker's clients.
#pragma once

#include "worker/clients/client.h"

namespace chatserv::events {

void line_cut(const Client& client);

} // namespace chatserv::events
