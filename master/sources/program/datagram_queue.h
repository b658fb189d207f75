// What the relay has said, cut into datagrams.
//
// Whole lines (`Framing::line`): each line is a datagram, since programs that read sentences by UDP
// (NMEA 0183, AIS) expect one in each; a line that is not whole yet waits for its end. Without
// framing a datagram is as many whole lines as fit, and bytes behind the last line end go out when
// nothing more has come. In neither case is a line cut that fits in a datagram.
//
// The queue is bounded: the caller drops the oldest datagrams (drop_excess()), because of a
// position the newest matters.
#pragma once

#include "shared/segment/layout.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace chatserv {

// No router on the way has to divide a datagram of this size: it fits an Ethernet frame with the
// headers of IPv6, and of a tunnel.
inline constexpr size_t datagram_bytes_max = 1400;
inline constexpr size_t datagram_queue_bytes_max = 64 * 1024;

class DatagramQueue {
public:
    explicit DatagramQueue(Framing framing) : framing_(framing) {}

    // `more`: the relay has more to say already.
    void add(std::string_view bytes, bool more);
    // The relay says nothing more: what waits goes out as it is.
    void end();

    // The oldest datagram; empty where there is none yet. Valid until the next call.
    [[nodiscard]] std::string_view front() const;
    // There is one.
    void pop();
    // Drops datagrams until the queue is within its bound, and returns how many.
    [[nodiscard]] size_t drop_excess();

private:
    [[nodiscard]] bool waits_for_line_end() const {
        return !ended_ && (framing_ == Framing::line || more_);
    }

    Framing framing_;
    std::string bytes_{};
    size_t begin_ = 0; // of the oldest datagram in `bytes_`
    bool more_ = false;
    bool ended_ = false;
};

} // namespace chatserv
