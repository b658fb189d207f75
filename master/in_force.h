// What is in force when a master begins: the options and the listen sockets of the last reload,
// where there was one. The keeper, which every master is a copy of, knows those of the start alone.
#pragma once

#include "master/preparation.h"
#include "master/upgrade/legacy.h"

#include <vector>

namespace chatserv {

// The noted listen sockets of this list that are open, owned and numbered. A master that stopped
// has closed some, and un-notes them after that.
[[nodiscard]] std::vector<Listener> noted_listeners(
    const Ledger& ledger, const std::vector<ListenerNote>& notes);

// The legacy in force. Throws as read_legacy() does.
[[nodiscard]] Legacy legacy_of(const Ledger& ledger);

// In a successor, after the books are in order and before it opens anything: gives `prepared` the
// listen sockets and the legacy in force. What a reload has left beside them is closed: what a dead
// master had opened and not put in force, and what it had not closed yet (MW15).
void adopt_what_is_in_force(Preparation& prepared, const std::vector<ListenerNote>& listeners);

} // namespace chatserv
