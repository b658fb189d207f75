#include "master/clients/lingering_close.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

namespace {

// True when the peer has closed, or the connection is broken.
bool discard_input(int fd) {
    char unwanted[4096];
    const ssize_t got = ::recv(fd, unwanted, sizeof unwanted, 0);
    const bool waiting = got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return got <= 0 && !waiting;
}

} // namespace

void LingeringClose::send_and_close(UniqueFd socket, std::string_view line) {
    if (!has_descriptors_for_clients(socket.get()))
        close_oldest();
    [[maybe_unused]] const ssize_t sent = ::write(socket.get(), line.data(), line.size());
    if (::shutdown(socket.get(), SHUT_WR) == -1 || discard_input(socket.get()))
        return;
    if (events_.watch_readable(socket.get(), tag_) != 0)
        return;
    if (waiting_.size() == lingering_max)
        close_oldest();
    waiting_.push_back(std::move(socket));
    if (timed_ == 0)
        arm_timer();
}

bool LingeringClose::close_oldest() {
    if (waiting_.empty())
        return false;
    waiting_.pop_front();
    timed_ -= timed_ > 0 ? 1 : 0;
    return true;
}

void LingeringClose::readable(int fd) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
        [fd](const UniqueFd& socket) { return socket.get() == fd; });
    if (found == waiting_.end() || !discard_input(fd))
        return;
    if (static_cast<size_t>(found - waiting_.begin()) < timed_)
        --timed_;
    waiting_.erase(found); // this is the only copy of the socket: closing it removes its filter
}

void LingeringClose::timer() {
    const ServedClock::time_point now = clock_.now();
    if (timed_ > 0 && now < due_ && set_timer(due_ - now))
        return;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(timed_));
    timed_ = 0;
    if (!waiting_.empty())
        arm_timer();
}

void LingeringClose::close_all() {
    waiting_.clear();
    timed_ = 0;
}

void LingeringClose::arm_timer() {
    due_ = clock_.now() + lingering_time;
    if (set_timer(lingering_time))
        timed_ = waiting_.size();
    else
        close_all(); // without a timer no connection can linger
}

bool LingeringClose::set_timer(ServedClock::duration time) {
    return events_.set_timer(timer_ident_, std::chrono::ceil<std::chrono::milliseconds>(time)) == 0;
}

} // namespace chatserv
