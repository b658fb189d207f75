#include "master/sources/source_resources.h"

#include "master/ledger/holdings.h"
#include "master/sources/source_set.h"

namespace chatserv {

namespace {

constexpr const char* program_name = "chatserv-source";

} // namespace

SourceResources get_source_resources(const Options& options, const std::string& argv0) {
    SourceResources resources{.sources = sources_of(options)};
    if (!resources.sources.empty())
        resources.program.emplace(program_name, argv0);
    return resources;
}

void note_source_resources(const SourceResources& resources, const Ledger& ledger) {
    if (resources.program && resources.program->fd() != -1)
        Holdings(ledger).note(Holding::source_program, 0, resources.program->fd());
}

SourceResources resume_source_resources(
    const Options& options, const std::string& argv0, int former) {
    if (former == -1)
        return get_source_resources(options, argv0);
    SourceResources resources{.sources = sources_of(options)};
    resources.program.emplace(UniqueFd(former), program_name);
    return resources;
}

} // namespace chatserv
