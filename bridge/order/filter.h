// Which messages of the stream count: H3's filter, the same on every host, as it depends on the
// stream alone.
//
// A host publishes its outbound log piece by piece, again from where it was last seen if it does
// not see itself, so the stream can hold a piece twice, late, or without the piece in front of it.
// A piece counts if it begins where the pieces of that incarnation that have counted end.
//
// A host that joins cannot know where that is. So every join begins an epoch, at the same message
// for all: what was expected is forgotten, pieces that were published before it do not count any
// more, and each host publishes again what has not counted. Its pieces bear the offset from which
// it does so (`base`), and that is what all expect first. So nobody has to be asked, nobody has to
// answer, and hosts that have left are forgotten.
#pragma once

#include "bridge/order/batch.h"

#include <cstddef>
#include <cstdint>
#include <map>

namespace chatserv {

class Filter {
public:
    enum class Result {
        counts,
        old_epoch, // published before the last join was read, or by a host that has not joined
        repeated,  // begins below what is expected: a part of it, at least, has counted
        early,     // begins beyond it: something in front of it has not come
        crowded,   // the epoch has hosts_max hosts already
    };

    static constexpr size_t hosts_max = 1024;

    // The next outbound offset that counts, of each host that has had a piece that counts.
    using Expected = std::map<Incarnation, uint64_t>;

    Filter() = default;
    // A successor's, from what was kept of its predecessor's.
    Filter(uint64_t epoch, Expected expected) : epoch_(epoch), expected_(std::move(expected)) {}

    // A join is the message of this number.
    void begin_epoch(uint64_t number);
    // 0 before the first one.
    [[nodiscard]] uint64_t epoch() const { return epoch_; }
    [[nodiscard]] const Expected& expected() const { return expected_; }

    // Of a message of kind bytes. Changes nothing.
    [[nodiscard]] Result look(const Batch& batch) const;
    // After look() has said that it counts.
    void count(const Batch& batch);

private:
    uint64_t epoch_ = 0;
    Expected expected_;
};

} // namespace chatserv
