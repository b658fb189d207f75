// The end of a conversation in which every client sends a stream: each client waits for the end of
// every other stream. After that nothing is in transit any more, however many bytes were due.
#pragma once

#include "tests/oracle/stream_code.h"

#include <algorithm>

namespace chatserv::test {

// Whether each client of [begin, end) has received the end of every other client's stream. The
// check ignores disconnected clients, both as readers and as writers.
template <typename Iterator>
[[nodiscard]] bool streams_complete(Iterator begin, Iterator end, const StreamCode& code) {
    return std::all_of(begin, end, [&](const auto& reader) {
        return reader.client->ended() || std::all_of(begin, end, [&](const auto& writer) {
            return &reader == &writer || writer.client->ended() ||
                   reader.tally.has_stream_end(code, *writer.session.sender, writer.queued_bytes);
        });
    });
}

} // namespace chatserv::test
