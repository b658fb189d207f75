// What the clients of one conversation sent and received, and the check that this keeps R2 to R7.
#pragma once

#include "tests/oracle/stream_code.h"
#include "tests/oracle/total_order.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::test {

using PerSender = std::array<std::uint64_t, senders_max>;

// How a session ended.
enum class Ending {
    stayed,      // open until all bytes of the conversation had been delivered
    half_closed, // sent end of file and then read to the end
    cut,         // reset, closed or dropped: has a prefix of what it was due
};

// One client's connection, as the client saw it. Counts are of bytes.
struct Session {
    std::string name;
    std::optional<unsigned> sender; // its id in the stream code, if it sends
    std::uint64_t sent = 0;         // everything it gave to TCP
    std::string received;
    Ending ending = Ending::stayed;
    bool hears = true; // one that only speaks is due nothing, and must get nothing
    bool heard = true; // nobody may get a byte of one that only listens

    // What each sender had given to TCP when this client was known to be attached to a worker:
    // everything later is due to it (R4).
    PerSender sent_when_joined{};
    // What each session had received of each sender when this one began to connect: published
    // before that, so not due to it (R4). By session, in the order of Transcript::sessions. Empty
    // where it is sent some of what was published before.
    std::vector<PerSender> delivered_before{};
    // The same at the time it sent end of file: due to it (R5). Empty if it did not.
    std::vector<PerSender> delivered_before_eof{};
};

struct Transcript {
    StreamCode code;
    std::vector<Session> sessions;
};

// Each violation as one text that begins with the rule's name; none for a correct server.
[[nodiscard]] std::vector<std::string> violations_in(const Transcript& transcript);

} // namespace chatserv::test
