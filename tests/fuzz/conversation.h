// A small segment in the midst of a conversation, of which the fuzzer can overwrite any word.
//
// Five clients: 0 and 1 are attached to entry 0, 2 and 3 to entry 1; 4 is assigned to entry 0. The
// segment is made once; a case begins with what it held then. What lies between two areas must
// not be touched: AddressSanitizer is told so.
#pragma once

#include "shared/segment/broadcast_log.h"
#include "shared/segment/log_append.h"
#include "shared/segment/segment.h"
#include "shared/segment/staging.h"
#include "shared/segment/user_table.h"
#include "tests/fuzz/input.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace chatserv::fuzz {

inline constexpr uint32_t clients = 5;
inline constexpr EntryId entry_0{0};
inline constexpr EntryId entry_1{1};
inline constexpr EntryId entry_of[clients] = {entry_0, entry_0, entry_1, entry_1, entry_0};

[[nodiscard]] constexpr ClientId client_id(uint32_t slot) {
    return {.slot = SlotId{slot}, .generation = 1};
}
inline constexpr std::chrono::milliseconds idle_timeout{3'600'000};

// What was going on when the worker of entry 0 died; a set of bits.
enum Situation : uint8_t {
    wrapped = 1,     // the log has gone round
    far = 2,         // client 1 has most of the log before it
    staged = 4,      // a batch is not published yet
    locked = 8,      // entry 0 holds the log's lock
    committed = 16,  // ... and has published its batch, but not cleared it
    receiving = 32,  // client 0 was being read from
    delivering = 64, // client 0 was being written to; with `receiving`: a line not of the log
    closing = 128,   // client 1 is closing
};

class Conversation {
public:
    Conversation();

    // Nobody is there, and nothing was said that anyone is to get.
    void restore(bool log_is_wrapped);
    // The clients, assigned before this, talk up to the given situation.
    void talk(uint8_t situation) const;
    // Overwrites one word with what `input` says.
    void overwrite(Input& input) const;

    // As if `sender` had sent `text` and its worker had read it.
    void stage(ClientId sender, std::string_view text) const;
    // False where there is no room, or somebody holds the lock.
    bool publish(EntryId entry) const;

    [[nodiscard]] SegmentHeader& shared_header() const;

    Segment segment;
    UserTable users{segment};
    BroadcastLog log{segment};

private:
    using Words = std::span<uint64_t>;

    [[nodiscard]] std::vector<std::vector<uint64_t>> copy_of_areas() const;

    LogAppender appender_{segment};
    std::vector<Words> areas_;
    std::vector<std::vector<uint64_t>> fresh_;
    std::vector<std::vector<uint64_t>> wrapped_;
};

} // namespace chatserv::fuzz
