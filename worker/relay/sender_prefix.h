// What a client's lines begin with in the log (`--prefix`): its address, or the name that it gave.
// A source has no name to give, and its first line is not lost: it is called by its number.
#pragma once

#include "shared/segment/lines.h"
#include "shared/segment/names.h"
#include "worker/clients/client.h"

#include <cstdint>
#include <string_view>

namespace chatserv {

class SenderPrefix {
public:
    explicit SenderPrefix(const Segment& segment) :
        kind_(segment.header().framing.prefix), names_(segment) {}

    // Sets the prefix of a client that was just attached, with all that a predecessor knew of it.
    void introduce(Client& client) const;

    // The client's next line is its name, and no part of the conversation.
    [[nodiscard]] bool wants_name(const Client& client) const {
        return kind_ == Prefix::name && client.prefix.empty();
    }
    // Before that line, of `bytes` bytes with its end, is read.
    void store_name(const Client& client, std::string_view content, size_t bytes) const;
    // `bytes` bytes were read, which are the name's line: its name is in force.
    void take_name(Client& client, uint64_t bytes) const;

    // The length of the name's line, if the client has sent these bytes and nothing else.
    [[nodiscard]] uint64_t name_bytes_at(const Client& client, uint64_t bytes) const;

    // W1: a predecessor died while it was reading the name's line. `bytes` bytes were read that are
    // not recorded. Returns false if that cannot be true.
    [[nodiscard]] bool settle_name(Client& client, uint64_t bytes) const;

private:
    Prefix kind_;
    Names names_;
};

} // namespace chatserv
