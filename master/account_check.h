// The self-test of the kernel's account (kernel_account.h): what it says is compared, on loopback,
// with what was in truth written and read.
#pragma once

#include <string>

namespace chatserv {

// Empty where the account can be relied on; otherwise why not. Takes less than a millisecond, a
// second at the most.
[[nodiscard]] std::string why_account_is_unreliable();

} // namespace chatserv
