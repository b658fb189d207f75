// The preparation: everything that the server needs from the system before it starts a worker. It
// is got first and without a word to the log, so that a start that fails prints one line, the
// reason.
#pragma once

#include "master/clients/listener.h"
#include "master/config/options.h"
#include "master/control/control_socket.h"
#include "shared/segment/segment.h"
#include "shared/system/fd.h"

#include <memory>
#include <string>
#include <vector>

namespace chatserv {

struct Preparation {
    std::unique_ptr<ControlSocket> control_socket; // null for none
    Segment segment;
    std::vector<FdPair> doorbells; // one pipe per entry of the worker table
    std::vector<Listener> listeners;
    std::string why_no_account; // why_account_is_unreliable(); empty where the account holds
};

// Throws Failure or std::system_error.
[[nodiscard]] Preparation prepare(const Options& options);

} // namespace chatserv
