// A place in a file that is followed: which file, and how much of it has been read. The text of one
// goes from the process that follows it to the master, and from there to the next process. A place
// whose numbers are all 0 is that of a file which is not there yet: it is in no file, so the next
// process reads the one that it finds from the beginning.
#pragma once

#include "master/ledger/layout.h"

#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

struct FilePlace {
    uint64_t device = 0; // stat(2)
    uint64_t inode = 0;
    uint64_t offset = 0; // bytes
    // How many bytes of the connection come before this place.
    uint64_t fed = 0;

    bool operator==(const FilePlace&) const = default;

    [[nodiscard]] std::string text() const;
    // Nothing where the text is not of that form.
    [[nodiscard]] static std::optional<FilePlace> parse(const std::string& text);
};

// The process that feeds the source's client says that it reads from this place on. If this master
// dies before the word is noted, the next one asks for it again (SourceProcess::ask_again()).
// `state`: `reading`; or `left` where that client has left before the word was heard, and `relayed`
// is noted.
void note_place(
    SourceRecord& record, const FilePlace& place, PlaceState state = PlaceState::reading);
// Where the next process goes on, once that client has left. What had been read of the file before
// that of the place, and was not relayed, is not in it: then it is the file's beginning. Nothing
// where no place is known: the file is read from its end on.
[[nodiscard]] std::optional<FilePlace> next_place(const SourceRecord& record);

} // namespace chatserv
