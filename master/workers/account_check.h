// The self-test of the kernel's account (kernel_account.h): what it says is compared, on loopback,
// with what was in truth written and read.
#pragma once

#include <string>

namespace chatserv {

// Empty where the account can be relied on; otherwise why not. Takes less than a millisecond, and a
// second in all at the most: where the loopback swallows packets the account was not tried, and
// what was not tried is not relied on.
[[nodiscard]] std::string why_account_is_unreliable();

} // namespace chatserv
