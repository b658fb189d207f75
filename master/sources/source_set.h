// The sources that the options ask for, and what each is to do. Their places in the list are their
// numbers for as long as the server runs: the ledger notes clients by them.
#pragma once

#include "master/config/options.h"
#include "master/config/source_address.h"

#include <string>
#include <vector>

namespace chatserv {

// --source, --stdin and --stdout together. Standard input and output are one source: what comes
// from the one is not written to the other. Throws Failure(EX_USAGE) where standard input is asked
// for twice, a source would hear what another one sends, or there are more than sources_max.
[[nodiscard]] std::vector<SourceAddress> sources_of(const Options& options);

// Whether the source is written to after its input has ended.
[[nodiscard]] bool goes_on_at_end(const Options& options, const SourceAddress& source);

// The bytes that a greeting stands for: \n, \r, \t and \\ are one byte each. Any other backslash is
// a backslash.
[[nodiscard]] std::string unescaped(const std::string& text);

} // namespace chatserv
