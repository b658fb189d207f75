// The last word of a server: its exit status, which its master leaves to the keeper in the ledger.
#pragma once

#include "master/ledger/layout.h"

#include <optional>
#include <sys/types.h>

namespace chatserv {

// The server has ended, and this is its exit status. Without this word a master that ends has died.
// Written last of all, in one store.
void note_final(KeeperWords& words, pid_t master, int exit_status);
// The exit status that this master left; nothing if it left none.
[[nodiscard]] std::optional<int> final_of(const KeeperWords& words, pid_t master);

} // namespace chatserv
