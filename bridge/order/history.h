// What a host that is about to join makes of the stream in front of its join: the last of what was
// said, for newcomers who are sent that first (--replay).
//
// The stream is read from the oldest message that it holds. What counts follows from the messages
// since a join (filter.h), so the history begins at the first join that is still there; hosts see
// to it that one is (Exchange). It is a stretch without a gap, or nothing: where messages are
// missing, or the stream is another one than a moment ago, it begins again behind that.
//
// It is kept in memory alone. A successor of a process that died before its join reads it again.
#pragma once

#include "bridge/order/filter.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace chatserv {

// One of the two is 0; both: no history is wanted.
struct HistoryAmount {
    uint64_t lines = 0;
    uint64_t bytes = 0;

    [[nodiscard]] bool wanted() const { return lines != 0 || bytes != 0; }
};

class History {
public:
    // `bytes_max`: what the text is long at most; not 0.
    History(HistoryAmount amount, uint64_t bytes_max);

    // The message that the engine delivers next. One that it has delivered last may come again.
    void read(uint64_t number, std::string_view message);

    // The last bytes or lines. A text of lines begins with a whole line; a last line without its
    // end counts as one. Valid until the next read().
    [[nodiscard]] std::string_view text() const;

private:
    void begin_again();
    void keep(std::string_view bytes);
    [[nodiscard]] std::string_view last_lines() const;

    HistoryAmount amount_;
    uint64_t bytes_max_;
    Filter filter_;
    uint64_t last_ = 0; // number of the message that was read last; 0: none
    std::string kept_;
    bool begins_the_room_ = false; // the first byte kept is the first one of the stream
};

} // namespace chatserv
