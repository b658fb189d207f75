// Systems without an account.
#include "shared/kernel_account.h"

namespace chatserv {

std::optional<uint64_t> unacknowledged_bytes(int /*socket*/) {
    return std::nullopt;
}

} // namespace chatserv
