// Takes a proxy's header out of its connection, byte for byte and no byte more: what is in the
// socket afterwards is the client's, and the kernel's account of the client begins there.
//
// The header stays in the socket (MSG_PEEK) until all of it has come and it is understood. Before
// it is read, the newcomer's record says how long it is and whose connection it announces.
//
// MW17: a master that dies meanwhile leaves a record that says so. Its successor asks the kernel
// how much of the header was read, and reads the rest. Where the kernel keeps no account, of UNIX
// sockets for example, this one connection is in doubt, and is closed; all others that wait have
// had nothing read.
#pragma once

#include "master/config/address.h"
#include "master/ledger/layout.h"

#include <cstddef>

namespace chatserv {

// Reads the header, which has this length and is in the socket as a whole. `keep_account`: the
// kernel's account can be relied on (account_check.h). False if the connection is broken.
[[nodiscard]] bool take_header(
    NewcomerRecord& record, size_t header_bytes, const Address& client, bool keep_account);

// What a dead master left of a header.
enum class InheritedHeader {
    expected, // nothing of it was read
    taken,    // all of it is read, by now; the record says whose connection it is
    in_doubt, // it may have been read or not, or the connection is broken
};
[[nodiscard]] InheritedHeader settle_header(NewcomerRecord& record);

} // namespace chatserv
