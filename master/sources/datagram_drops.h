// How many datagrams a source has lost, and why: those that could not be relayed, and those that
// could not be sent. The text of one goes from the source's process to the master.
//
// The number is that of all processes of the source since the server started: each is told at its
// start how many there were before it (program/start.h), and says the sum. So what is said twice,
// or again to the next master, counts once.
#pragma once

#include "master/ledger/layout.h"

#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

struct DatagramDrops {
    uint64_t total = 0;
    std::string why{}; // of the last one, for people

    bool operator==(const DatagramDrops&) const = default;

    [[nodiscard]] std::string text() const;
    // Nothing where the text is not of that form.
    [[nodiscard]] static std::optional<DatagramDrops> parse(const std::string& text);
};

// One store, so a master that dies here has noted it or not. A number that has become smaller is no
// word of the source's process, and is left out.
void note_drops(SourceRecord& record, const DatagramDrops& drops);
[[nodiscard]] uint64_t dropped_by(const SourceRecord& record);

} // namespace chatserv
