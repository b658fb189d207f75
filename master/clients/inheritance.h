// What a master does with the clients of its dead predecessor, before it makes a client book.
//
// The predecessor may have died at any instant (MW1 to MW7), and so may this master: everything
// here can be done again. In a ledger that no master has used there is nothing to do.
#pragma once

#include "master/clients/newcomers.h"
#include "master/config/address.h"
#include "master/ledger/ledger.h"
#include "shared/segment/user_table.h"
#include "shared/system/open_descriptors.h"

#include <span>
#include <vector>

namespace chatserv {

// Brings ledger, segment and descriptors into agreement: finishes the transition that was under
// way, un-notes connections that were closed, frees slots of the segment that hold no client. To be
// called before this process opens its first descriptor: until then a noted number that is closed
// has not become another file's.
void put_books_in_order(const Ledger& ledger, UserTable users);

// Descriptors that the predecessor has left behind.
struct LeftBehind {
    std::vector<Newcomer> newcomers; // it had accepted these, and not noted them (MW1)
    std::vector<int> strangers;      // nobody needs these: to be closed
};

// Where connections come to, the role that they get there, and whether they are proxied.
struct ListenedAt {
    Address address;
    Role role = Role::talk;
    bool proxied = false;
};

// Looks through all descriptors of this process, `open`, for those that the ledger does not note.
// `kept`: those that this process knows by other means. A newcomer is a connection that came to one
// of the addresses `listening`, and no duplicate of another descriptor: the caller gives it to
// Newcomers::note().
[[nodiscard]] LeftBehind find_left_behind(std::span<const OpenDescriptor> open,
    const Ledger& ledger, std::span<const int> kept, std::span<const ListenedAt> listening);

} // namespace chatserv
