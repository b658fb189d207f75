// A small ledger for a test, and what a master would note in it.
#pragma once

#include "master/clients/newcomers.h"
#include "master/ledger/ledger.h"
#include "shared/system/fd.h"

#include <cstdint>

namespace chatserv {

// For a segment of as many users, and at most three entries of the worker table.
[[nodiscard]] inline Ledger small_ledger(uint32_t users = 4) {
    return Ledger::create({.users = users, .workers = 3});
}

// A connection that nothing has noted: the escrow owns its descriptor from its admission on.
[[nodiscard]] inline Newcomer newcomer(UniqueFd socket) {
    return {.socket = socket.release()};
}

} // namespace chatserv
