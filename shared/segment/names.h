// The names of clients that are told apart by them (`--prefix name`): the first line that a client
// sends.
//
// The worker stores the name before it takes the line out of the client's socket. So a death leaves
// either a line that is still unread, from which the successor stores the same name again, or a
// line that was read, whose length is noted here: the successor knows that these bytes are no part
// of the conversation (W1). A name is in force once the client's bytes_read count its line.
#pragma once

#include "shared/segment/line_records.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace chatserv {

// The name that a first line stands for: at most name_bytes_max bytes of printable text. Bytes that
// cannot be printed become "?", and spaces at both ends are left out. Empty for a line that holds
// nothing else: its client is called by its address. Two clients may have one name.
[[nodiscard]] std::string name_from(std::string_view first_line);

class Names {
public:
    explicit Names(const Segment& segment) : records_(segment.names()) {}

    // Stores the name that the client's first `line_bytes` bytes give it.
    void store(ClientId client, std::string_view name, uint32_t line_bytes) const;
    // The length of the client's first line, or 0 if no name was stored.
    [[nodiscard]] uint32_t line_bytes(ClientId client) const;
    // So many bytes of the first line were read.
    void set_line_bytes(ClientId client, uint32_t line_bytes) const;
    // The name that is in force; empty if the client is to be called by its address. Nothing if it
    // has given no name, or if names are not asked for. A stray write can have left any bytes, but
    // no more than the maximum.
    [[nodiscard]] std::optional<std::string_view> in_force(
        ClientId client, const UserSlot& slot) const;

private:
    std::span<NameRecord> records_;
};

} // namespace chatserv
