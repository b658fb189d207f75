#include "shared/segment/log_replay.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"

#include <algorithm>
#include <cstring>

namespace chatserv {

namespace {

// Lines are counted block by block, from the head back.
constexpr uint64_t block_bytes = 16 * 1024;

// Returns behind the `wanted`-th newline of the piece, counted from 1. If there are fewer, returns
// null, and `wanted` is less by as many as there are.
const char* behind_newline(std::span<const char> piece, uint64_t& wanted) {
    const char* at = piece.data();
    const char* const end = at + piece.size();
    while (at != end) {
        const void* const newline = std::memchr(at, '\n', static_cast<size_t>(end - at));
        if (newline == nullptr)
            return nullptr;
        at = static_cast<const char*>(newline) + 1;
        if (--wanted == 0)
            return at;
    }
    return nullptr;
}

uint64_t newlines_in(const LogPieces& pieces) {
    return static_cast<uint64_t>(std::count(pieces.first.begin(), pieces.first.end(), '\n') +
                                 std::count(pieces.second.begin(), pieces.second.end(), '\n'));
}

// The offset behind the `wanted`-th newline of the stretch that begins at `from` and has as many.
uint64_t offset_behind_newline(const LogPieces& pieces, uint64_t from, uint64_t wanted) {
    if (const char* const behind = behind_newline(pieces.first, wanted))
        return from + static_cast<uint64_t>(behind - pieces.first.data());
    const char* const behind = behind_newline(pieces.second, wanted);
    return from + pieces.first.size() + static_cast<uint64_t>(behind - pieces.second.data());
}

} // namespace

uint64_t LogReplay::oldest_index_position() const {
    const uint64_t next = control_->index_next;
    return next - std::min<uint64_t>(next, index_.size() / 2);
}

// The index has to name every sender from there on: a client that is in the midst of a replay when
// its worker dies may have sent bytes of its own meanwhile, and its successor looks for them.
uint64_t LogReplay::oldest() const {
    const uint64_t head = log_.head();
    const uint64_t by_bytes = head - std::min(head, ring_bytes_ / 2);
    const uint64_t position = oldest_index_position();
    const uint64_t by_index = position == 0 ? 0 : index_[(position - 1) % index_.size()].end;
    return std::min(head, std::max(by_bytes, by_index));
}

uint64_t LogReplay::start(const RelaySettings& settings) const {
    if (settings.replay_lines > 0)
        return start_of_last_lines(settings.replay_lines);
    const uint64_t head = log_.head();
    return std::max(oldest(), head - std::min(head, settings.replay_bytes));
}

// Where the log does not go back far enough, the replay begins behind the first end of a line that
// is left, so that it does not begin with half a line.
uint64_t LogReplay::start_of_last_lines(uint64_t lines) const {
    const uint64_t head = log_.head();
    const uint64_t lowest = std::max(oldest(), head - std::min(head, line_search_bytes));
    // The byte in front of a line ends another one, and it is whole too: see the header.
    const uint64_t from = lowest == 0 ? 0 : lowest - 1;
    if (head == from)
        return head;
    const LogPieces last = log_.pieces(head - 1, head);
    uint64_t wanted = lines + (last.first.front() == '\n' ? 1 : 0);
    uint64_t first_line = lowest == 0 ? 0 : head;
    for (uint64_t end = head; end > from;) {
        const uint64_t begin = end - std::min(end - from, block_bytes);
        const LogPieces block = log_.pieces(begin, end);
        const uint64_t found = newlines_in(block);
        if (found >= wanted)
            return offset_behind_newline(block, begin, found - wanted + 1);
        if (found > 0 && lowest != 0)
            first_line = offset_behind_newline(block, begin, 1);
        wanted -= found;
        end = begin;
    }
    return first_line;
}

// The index first: at every instant the entries below its tail end at or before the log's tail.
void LogReplay::keep(uint64_t from) const {
    if (from >= control_->tail)
        return;
    uint64_t low = oldest_index_position();
    uint64_t high = control_->index_next;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (index_[middle % index_.size()].end > from)
            high = middle;
        else
            low = middle + 1;
    }
    store_release(control_->index_tail, std::min(control_->index_tail, low));
    crash_point(CrashPoint::replay_index_kept); // W8
    store_release(control_->tail, from);
    crash_point(CrashPoint::replay_kept); // W8
}

} // namespace chatserv
