// What the metrics process needs for as long as the server runs, whichever master starts it: its
// program and its listen sockets. Both are got at the start, so that a port that is taken ends the
// start with a line, and stay open, so that no other program can take the port meanwhile.
#pragma once

#include "master/clients/listener.h"
#include "master/config/options.h"
#include "master/ledger/ledger.h"
#include "master/start/program_file.h"

#include <optional>
#include <string>
#include <vector>

namespace chatserv {

struct MetricsResources {
    std::optional<ProgramFile> program{}; // none: --metrics was not given
    std::vector<Listener> listeners{};

    [[nodiscard]] bool wanted() const { return program.has_value(); }
};

// `argv0`: as ProgramFile takes it. Throws Failure: EX_UNAVAILABLE where the program is missing,
// also because this build is without it, or an address cannot be listened on.
[[nodiscard]] MetricsResources get_metrics_resources(
    const Options& options, const std::string& argv0);
// The program that get_metrics_resources() would find; none if the options ask for no metrics.
[[nodiscard]] std::optional<ProgramFile> find_metrics_program(
    const Options& options, const std::string& argv0);

// Notes them in the ledger: every master needs them.
void note_metrics_resources(const MetricsResources& resources, const Ledger& ledger);
// Those that an earlier program of this process has noted. With its program if `former` is that
// program's descriptor; otherwise with the one that this program finds.
[[nodiscard]] MetricsResources resume_metrics_resources(
    const Ledger& ledger, const Options& options, const std::string& argv0, int former);

} // namespace chatserv
