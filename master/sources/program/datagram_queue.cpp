#include "master/sources/program/datagram_queue.h"

namespace chatserv {

void DatagramQueue::add(std::string_view bytes, bool more) {
    bytes_.erase(0, begin_);
    begin_ = 0;
    bytes_ += bytes;
    more_ = more;
}

void DatagramQueue::end() {
    ended_ = true;
}

std::string_view DatagramQueue::front() const {
    const std::string_view waiting = std::string_view(bytes_).substr(begin_);
    const std::string_view fits = waiting.substr(0, datagram_bytes_max);
    const size_t line_end = framing_ == Framing::line ? fits.find('\n') : fits.rfind('\n');
    if (line_end != std::string_view::npos)
        return fits.substr(0, line_end + 1);
    return fits.size() == datagram_bytes_max || !waits_for_line_end() ? fits : std::string_view();
}

void DatagramQueue::pop() {
    begin_ += front().size();
}

// Nothing waits for its end behind a bound that is a multiple of the longest datagram.
size_t DatagramQueue::drop_excess() {
    size_t dropped = 0;
    for (; bytes_.size() - begin_ > datagram_queue_bytes_max; ++dropped)
        pop();
    return dropped;
}

} // namespace chatserv
