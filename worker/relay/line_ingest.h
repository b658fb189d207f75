// Ingest of whole lines (`--framing line`): a client's lines come into the staging area behind
// their prefix, and an unfinished line waits, in the client's TCP socket or in the segment
// (parts.h).
#pragma once

#include "shared/segment/lines.h"
#include "shared/segment/parts.h"
#include "worker/relay/intake.h"
#include "worker/relay/sender_prefix.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace chatserv {

class LineIngest {
public:
    using Read = Intake::Read;

    LineIngest(const Segment& segment, const Intake& intake);

    [[nodiscard]] bool on() const { return lines_.on(); }
    // The staging area has no room for the longest line.
    [[nodiscard]] bool full() const;

    // Sets what is known of a client that was just attached.
    void introduce(Client& client) const;

    // Reads whole lines, up to `bytes_max` and the first of them even if it is longer. From a UNIX
    // socket it also takes what has come of the next line. `at_end`: see Ingest::read().
    [[nodiscard]] Read read(Client& client, size_t bytes_max, bool at_end) const;

    // W1: `bytes` bytes were read from the client beyond those that are recorded. Records them as
    // the predecessor would have done. Returns false if that cannot be true.
    [[nodiscard]] bool settle(Client& client, uint64_t bytes) const;

private:
    // What a look has shown, at its place in the staging area.
    struct Seen {
        std::span<char> bytes;
        size_t kept; // so many of them were read before: the part that was kept
        bool is_all; // nothing can follow them
    };

    [[nodiscard]] Read take_lines(
        Client& client, const Seen& seen, size_t bytes_max, bool at_end) const;
    [[nodiscard]] Read take_name(Client& client, const Seen& seen) const;
    [[nodiscard]] Read take_part(Client& client, const Seen& seen) const;
    void end_part(Client& client, const Seen& seen) const;
    template <typename Record>
    [[nodiscard]] Read receive(const Client& client, std::span<char> place, Record record) const;
    template <typename Record>
    [[nodiscard]] Read receive_rest(
        Client& client, const Seen& seen, size_t bytes, size_t used, Record record) const;
    [[nodiscard]] bool settle_local(Client& client, uint64_t bytes) const;
    [[nodiscard]] bool settle_taken(Client& client, std::span<char> taken) const;
    [[nodiscard]] bool keep(const Client& client, std::span<const char> rest) const;
    [[nodiscard]] std::span<char> place_of_lines(const Client& client) const;
    [[nodiscard]] std::span<const char> part_of(const Client& client) const;
    void record_lines(const Client& client, uint64_t bytes, uint64_t log_bytes) const;

    const Intake& intake_;
    Lines lines_;
    SenderPrefix sender_prefix_;
    Parts parts_;
};

} // namespace chatserv
