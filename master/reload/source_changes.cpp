#include "master/reload/source_changes.h"

#include "shared/system/failure.h"

#include <algorithm>
#include <fmt/core.h>
#include <sysexits.h>

namespace chatserv {

namespace {

uint32_t lowest_free_number(const Sources& present, const SourceChanges& changes) {
    for (uint32_t number = 1; number <= source_numbers_max; ++number)
        if (present.find(number) == nullptr &&
            std::ranges::find(changes.new_numbers, number) == changes.new_numbers.end())
            return number;
    throw Failure(EX_TEMPFAIL, fmt::format("at most {} sources are possible at a time, those "
                                           "included that are let go: try again when they are gone",
                                   source_numbers_max));
}

} // namespace

SourceChanges plan_sources(const Sources& present, const Options& wanted) {
    std::vector<SourceAddress> added = sources_of(wanted);
    SourceChanges changes;
    for (const auto& [number, source] : present.all()) {
        const auto same = std::ranges::find(added, source.address());
        const bool stays = source.is_wanted() && same != added.end();
        if (stays)
            added.erase(same);
        changes.all.push_back({.number = number, .address = source.address(), .is_wanted = stays});
    }
    if (!added.empty() && !present.can_be_made())
        throw Failure(EX_UNAVAILABLE, "a source needs the program chatserv-source, which was not "
                                      "there when the server started: a restart is needed");
    for (const SourceAddress& address : added) {
        changes.new_numbers.push_back(lowest_free_number(present, changes));
        changes.all.push_back({.number = changes.new_numbers.back(), .address = address});
    }
    return changes;
}

} // namespace chatserv
