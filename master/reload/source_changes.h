// Which sources a reload makes, keeps and lets go.
#pragma once

#include "master/config/options.h"
#include "master/sources/sources.h"

#include <cstdint>
#include <vector>

namespace chatserv {

struct SourceChanges {
    std::vector<NumberedSource> all{};   // in force after the change, with those that are let go
    std::vector<uint32_t> new_numbers{}; // of those that are to be made
};

// `present`: as they are. A source of the same role and address as before is the same source, and
// keeps its number; any other is new, and gets a number that nobody has. Throws Failure for options
// that sources_of() refuses, where too few numbers are free yet, or where a source is wanted and
// the server has no program for it; nothing has changed then.
[[nodiscard]] SourceChanges plan_sources(const Sources& present, const Options& wanted);

} // namespace chatserv
