#include "master/sources/source_resources.h"

#include "master/ledger/holdings.h"
#include "shared/system/failure.h"

#include <utility>

namespace chatserv {

namespace {

constexpr const char* program_name = "chatserv-source";

SourceResources with_program(std::vector<NumberedSource> sources, const std::string& argv0) {
    SourceResources resources{.sources = std::move(sources)};
    try {
        resources.program.emplace(program_name, argv0);
    } catch (const Failure&) {
        if (!resources.sources.empty())
            throw;
    }
    return resources;
}

} // namespace

SourceResources get_source_resources(const Options& options, const std::string& argv0) {
    return with_program(numbered(sources_of(options)), argv0);
}

void note_source_resources(const SourceResources& resources, const Ledger& ledger) {
    if (resources.program && resources.program->fd() != -1)
        Holdings(ledger).note(Holding::source_program, 0, resources.program->fd());
}

SourceResources resume_source_resources(
    std::vector<NumberedSource> sources, const std::string& argv0, int former) {
    if (former == -1)
        return with_program(std::move(sources), argv0);
    SourceResources resources{.sources = std::move(sources)};
    resources.program.emplace(UniqueFd(former), program_name);
    return resources;
}

} // namespace chatserv
