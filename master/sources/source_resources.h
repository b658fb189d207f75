// What the sources need for as long as the server runs, whichever master makes them: the list in
// force, and the program of their processes. That is opened at the start, also where there is no
// source: a reload can bring one.
#pragma once

#include "master/config/options.h"
#include "master/ledger/ledger.h"
#include "master/sources/source_set.h"
#include "master/start/program_file.h"

#include <optional>
#include <string>
#include <vector>

namespace chatserv {

struct SourceResources {
    std::vector<NumberedSource> sources{};
    std::optional<ProgramFile> program{}; // none where there is no source, and no program either
};

// `argv0`: as ProgramFile takes it. Throws Failure: EX_USAGE as sources_of() does, EX_UNAVAILABLE
// where the program is missing and there is a source.
[[nodiscard]] SourceResources get_source_resources(
    const Options& options, const std::string& argv0);

// Notes the program in the ledger: every master needs it.
void note_source_resources(const SourceResources& resources, const Ledger& ledger);
// Those of an earlier program of this process, with its `sources`. With its program if `former` is
// that program's descriptor; otherwise with the one that this program finds.
[[nodiscard]] SourceResources resume_source_resources(
    std::vector<NumberedSource> sources, const std::string& argv0, int former);

} // namespace chatserv
