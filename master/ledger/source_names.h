// The names of the sources in force, as the ledger holds them for the metrics process, and how a
// number that no source has any more is given to another one.
//
// Which number is whose is in the legacy (master/upgrade/legacy.h), and every master writes the
// names anew from there. So a master that dies between two of these stores leaves a number without
// a name, until the next one has begun.
#pragma once

#include "master/ledger/source_record.h"

#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

// The number is nobody's, and is to be another source's: its connections, bytes and place begin
// anew. To be done before the store that puts that source in force; twice does no harm.
void begin_source(SourceRecord& record);

// A source of this name is in force. `name`: one printable line. Of one that is too long, the
// number tells it from others: "...(3)".
void note_source_name(SourceRecord& record, uint32_t number, std::string_view name);
// No source in force has this number.
void note_no_source(SourceRecord& record);

// Nothing where no source in force has the number. Another process may write the name meanwhile.
[[nodiscard]] std::optional<std::string> source_name(const SourceRecord& record);

} // namespace chatserv
