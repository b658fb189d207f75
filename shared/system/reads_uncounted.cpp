// Systems that do not count what is read from a UNIX socket.
#include "shared/system/kernel_account.h"

namespace chatserv {

bool counts_reads(int /*socket*/) {
    return false;
}

void count_reads(int /*socket*/, uint64_t /*read_before*/) {}

void count_reads_no_more(int /*socket*/) {}

std::optional<uint64_t> reads_counted(int /*socket*/, uint64_t /*at_least*/) {
    return std::nullopt;
}

} // namespace chatserv
