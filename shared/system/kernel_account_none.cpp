// Systems without a kernel account.
#include "shared/system/kernel_account.h"

namespace chatserv {

const uint64_t byte_count_mask = ~0ULL;

std::optional<ByteCounts> byte_counts(int /*socket*/) {
    return std::nullopt;
}

std::optional<uint64_t> written_before_first_write(int /*socket*/) {
    return std::nullopt;
}

std::optional<uint64_t> unacknowledged_bytes(int /*socket*/) {
    return std::nullopt;
}

} // namespace chatserv
