// Addresses in the ledger.
#pragma once

#include "master/config/address.h"
#include "master/ledger/layout.h"

namespace chatserv {

[[nodiscard]] NotedAddress noted(const Address& address);
[[nodiscard]] Address address_of(const NotedAddress& noted);

} // namespace chatserv
