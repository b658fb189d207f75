// The sources that the options ask for, their numbers, and what each is to do.
//
// A source has a number from 1 on: the ledger notes its client, its process and its place by it. It
// keeps the number for as long as it is in the options. One that a reload lets go keeps it until
// its client has left and its process has ended; then the number can be another source's. The
// legacy (master/upgrade/legacy.h) has this list.
#pragma once

#include "master/config/options.h"
#include "master/config/source_address.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chatserv {

struct NumberedSource {
    uint32_t number; // from 1 to source_numbers_max
    SourceAddress address;
    bool is_wanted = true; // false: a reload has let it go, and it may not be gone yet

    bool operator==(const NumberedSource&) const = default;
};

// As the server begins with them.
[[nodiscard]] std::vector<NumberedSource> numbered(std::vector<SourceAddress> sources);

// --source, --stdin and --stdout together. Standard input and output are one source: what comes
// from the one is not written to the other. Throws Failure(EX_USAGE) where a source is asked for
// twice, a source would hear what another one sends, or there are more than sources_max.
[[nodiscard]] std::vector<SourceAddress> sources_of(const Options& options);

// Whether the source is written to after its input has ended.
[[nodiscard]] bool goes_on_at_end(const Options& options, const SourceAddress& source);

// The bytes that a greeting stands for: \n, \r, \t and \\ are one byte each. Any other backslash is
// a backslash.
[[nodiscard]] std::string unescaped(const std::string& text);

} // namespace chatserv
