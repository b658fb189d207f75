// The preparation: everything that the server needs from the system before it starts a worker. It
// is got first and without a word to the log, so that a start that fails prints one line, the
// reason.
#pragma once

#include "master/bridge/bridge_resources.h"
#include "master/clients/listener.h"
#include "master/config/options.h"
#include "master/control/control_socket.h"
#include "master/ledger/ledger.h"
#include "master/metrics/metrics_resources.h"
#include "master/sources/source_resources.h"
#include "master/start/handed_sockets.h"
#include "master/start/log_file.h"
#include "master/upgrade/upgrade_book.h"
#include "master/workers/worker_program.h"
#include "shared/segment/segment.h"
#include "shared/system/fd.h"

#include <memory>
#include <string>
#include <vector>

namespace chatserv {

struct Preparation {
    std::unique_ptr<ControlSocket> control_socket; // null for none
    Segment segment;
    Ledger ledger;
    std::vector<FdPair> doorbells; // one pipe per entry, where a room is joined also the bridge's
    std::vector<Listener> listeners;
    MetricsResources metrics;
    BridgeResources bridge;
    SourceResources sources;
    // Names of the listen sockets that the service manager had kept: listener_store.h.
    std::vector<std::string> kept_names{};
    std::string why_no_account; // why_account_is_unreliable(); empty where the account holds
    // For an upgrade.
    std::string program;    // by whose path the user has started the server
    UniqueFd own_program{}; // the file that this process runs; none where it cannot be read
    UniqueFd legacy{};
    Image image{};
};

// `command_line`: the words by which the server was started, the program's name first. `handed`:
// the service manager's sockets. Throws Failure or std::system_error.
[[nodiscard]] Preparation prepare(const Options& options,
    const std::vector<std::string>& command_line, std::vector<HandedSocket> handed);

// Notes the files of this process's programs in the ledger, for the next ones.
void note_programs(const Preparation& prepared, const WorkerProgram& worker_program);

// Notes all of these descriptors in the ledger, and `worker_program` and the log file's: every
// master needs them.
void note_holdings(Preparation& prepared, const WorkerProgram& worker_program, const LogFile& log);

} // namespace chatserv
