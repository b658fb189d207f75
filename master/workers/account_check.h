// The self-test of the kernel's account (kernel_account.h): compares, on loopback, the account with
// the bytes that were really written and read.
#pragma once

#include <string>

namespace chatserv {

// Empty where the account can be relied on; otherwise the reason. Takes less than a millisecond,
// and at most a second: where the loopback drops packets the account cannot be tried, and an
// account that was not tried is not relied on.
[[nodiscard]] std::string why_account_is_unreliable();

} // namespace chatserv
