// The end of a conversation in which each of some people has a stream of its own: everybody waits
// for the last words of all others. Only then it is known, and without knowing how many bytes are
// due, that nothing is still on its way.
#pragma once

#include "tests/oracle/stream_code.h"

#include <algorithm>

namespace chatserv::test {

// Whether each of [begin, end) has the last bytes of every other's stream. Whoever was disconnected
// neither waits nor is waited for.
template <typename Iterator>
[[nodiscard]] bool have_last_words(Iterator begin, Iterator end, const StreamCode& code) {
    return std::all_of(begin, end, [&](const auto& reader) {
        return reader.client->ended() || std::all_of(begin, end, [&](const auto& writer) {
            return &reader == &writer || writer.client->ended() ||
                   reader.tally.has_last_words(code, *writer.session.sender, writer.queued_bytes);
        });
    });
}

} // namespace chatserv::test
