// The parts of lines that have come from clients of UNIX sockets, and were read before the rest is
// there (`--framing line`).
//
// An unfinished line of a TCP connection waits in its socket. What waits in a UNIX socket fills the
// send buffer of its peer, each write(2) with several hundred bytes besides its own: on Linux 278
// writes of one byte fill it, and the line would never end. So the worker takes all that has come.
//
// keep() is called within a read, as its last step. A part notes in front of which byte of the
// client's it begins, so a successor sees whether it is the part of this read or of the one before
// (W1). Where no kernel counts what is read, the client in doubt is disconnected (in_doubt.h). The
// part outlives its worker, and goes along when its client moves.
#pragma once

#include "shared/segment/line_records.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"

#include <cstdint>
#include <optional>
#include <span>

namespace chatserv {

class Parts {
public:
    explicit Parts(const Segment& segment) :
        parts_(segment.parts()), stride_(part_stride(segment.header().framing)),
        bytes_max_(part_bytes_max(segment.header().framing)) {}

    [[nodiscard]] uint64_t bytes_max() const { return bytes_max_; }

    // Whether the client's parts are kept here: it came to a UNIX socket.
    [[nodiscard]] static bool has_those_of(const UserSlot& slot) { return slot.by_path != 0; }

    // The part that follows the client's first `from` bytes. Nothing if what is kept follows others
    // (before the first byte there is an empty one). A stray write can have left anything: it is
    // cut to the longest part.
    [[nodiscard]] std::optional<std::span<const char>> of(ClientId client, uint64_t from) const;
    // Keeps `part` instead; bytes_max() at most. A part that follows the same bytes as the one that
    // is kept must begin with it. A death within this leaves the one that was kept.
    void keep(ClientId client, uint64_t from, std::span<const char> part) const;

private:
    [[nodiscard]] std::span<char> place_of(ClientId client) const;
    [[nodiscard]] PartRecord& record_of(ClientId client) const;

    std::span<char> parts_;
    uint64_t stride_;
    uint64_t bytes_max_;
};

} // namespace chatserv
