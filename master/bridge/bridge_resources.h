// What the bridge needs for as long as the server runs, whichever master starts it: its program,
// which is found and checked at the start, so that a start without it, or with that of another
// version, ends with a line.
#pragma once

#include "master/config/options.h"
#include "master/ledger/ledger.h"
#include "master/start/program_file.h"

#include <optional>
#include <string>

namespace chatserv {

struct BridgeResources {
    std::optional<ProgramFile> program{}; // none: no room is joined

    [[nodiscard]] bool wanted() const { return program.has_value(); }
};

// The bridge's program; none if no room is to be joined. `argv0`: as ProgramFile takes it. Throws
// Failure(EX_UNAVAILABLE) where the program is missing, also because this build is without it, or
// is of another build (bridge_build.h).
[[nodiscard]] std::optional<ProgramFile> fitting_bridge_program(
    const Options& options, const std::string& argv0);
// The same for a start, which ends where a file that the bridge is to read cannot be opened. Throws
// Failure: EX_NOINPUT for such a file.
[[nodiscard]] BridgeResources get_bridge_resources(
    const Options& options, const std::string& argv0);

// Notes them in the ledger: every master needs them.
void note_bridge_resources(const BridgeResources& resources, const Ledger& ledger);
// Those that an earlier program of this process has noted. With its program if `former` is that
// program's descriptor; otherwise with the one that this program finds, as the trial did.
[[nodiscard]] BridgeResources resume_bridge_resources(
    const Options& options, const std::string& argv0, int former);

} // namespace chatserv
