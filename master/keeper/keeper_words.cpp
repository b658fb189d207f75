#include "master/keeper/keeper_words.h"

#include "shared/segment/atomic_word.h"

#include <cstdint>

namespace chatserv {

namespace {

// The pid in the upper half. In the lower half a bit says that the rest is a status, since 0 is
// one.
constexpr uint64_t is_status = 0x100;
constexpr uint64_t status_bits = 0xff;

} // namespace

void note_final(KeeperWords& words, pid_t master, int exit_status) {
    store_release(words.final, static_cast<uint64_t>(static_cast<uint32_t>(master)) << 32 |
                                   is_status | (static_cast<uint64_t>(exit_status) & status_bits));
}

std::optional<int> final_of(const KeeperWords& words, pid_t master) {
    const uint64_t word = load_acquire(words.final);
    if ((word & is_status) == 0 || word >> 32 != static_cast<uint32_t>(master))
        return std::nullopt;
    return static_cast<int>(word & status_bits);
}

} // namespace chatserv
