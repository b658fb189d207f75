// What the sources need for as long as the server runs, whichever master makes them: the list, and
// the program of their processes, which is opened at the start.
#pragma once

#include "master/config/options.h"
#include "master/ledger/ledger.h"
#include "master/start/program_file.h"

#include <optional>
#include <string>
#include <vector>

namespace chatserv {

struct SourceResources {
    std::vector<SourceAddress> sources{};
    std::optional<ProgramFile> program{}; // none where there is no source
};

// `argv0`: as ProgramFile takes it. Throws Failure: EX_USAGE as sources_of() does, EX_UNAVAILABLE
// where the program is missing.
[[nodiscard]] SourceResources get_source_resources(
    const Options& options, const std::string& argv0);

// Notes the program in the ledger: every master needs it.
void note_source_resources(const SourceResources& resources, const Ledger& ledger);
// Those of an earlier program of this process. With its program if `former` is that program's
// descriptor; otherwise with the one that this program finds.
[[nodiscard]] SourceResources resume_source_resources(
    const Options& options, const std::string& argv0, int former);

} // namespace chatserv
