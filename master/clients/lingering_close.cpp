#include "master/clients/lingering_close.h"

#include "master/ledger/master_point.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

namespace {

static_assert(lingering_places == lingering_max + 1);

// True when the peer has closed, or the connection is broken.
bool discard_input(int fd) {
    char unwanted[4096];
    const ssize_t got = ::recv(fd, unwanted, sizeof unwanted, 0);
    const bool waiting = got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return got <= 0 && !waiting;
}

// ByteCounts::written. Nothing was ever written to a newcomer, which makes the question cheaper.
std::optional<uint64_t> written_by(int socket, LingeringClose::Connection so_far) {
    if (so_far == LingeringClose::Connection::newcomer)
        return written_before_first_write(socket);
    const auto counts = byte_counts(socket);
    return counts ? std::optional(counts->written) : std::nullopt;
}

// Whether a dead master may have sent the line, or a part of it.
bool may_be_sent(const LingeringRecord& record) {
    if (record.told != 0 || record.accounted == 0)
        return true;
    const auto now = byte_counts(number_of(record.socket));
    return !now || ((now->written - record.written_base) & byte_count_mask) != 0;
}

} // namespace

LingeringClose::LingeringClose(const Ledger& ledger, bool keep_account, EventQueue& events,
    ServedClock& clock, Tag tag, uintptr_t timer_ident) :
    records_(ledger.lingering()),
    keep_account_(keep_account), any_fd_(ledger.fd()), events_(events), clock_(clock), tag_(tag),
    timer_ident_(timer_ident) {}

void LingeringClose::adopt() {
    std::vector<uint32_t> left;
    for (uint32_t place = 0; place < records_.size(); ++place)
        if (socket_of(place) != -1)
            left.push_back(place);
    std::ranges::sort(left, {}, [this](uint32_t place) { return records_[place].order; });
    for (const uint32_t place : left) {
        next_order_ = records_[place].order + 1;
        if (!may_be_sent(records_[place]))
            say_line(records_[place]);
        linger(place);
    }
}

LingeringPlace LingeringClose::plan(int socket, std::string_view line, Connection so_far) const {
    const auto free = std::ranges::find_if(
        records_, [](const LingeringRecord& record) { return number_of(record.socket) == -1; });
    LingeringRecord record{.order = next_order_, .socket = noted(socket)};
    invariant(free != records_.end() && line.size() <= sizeof record.line,
        "there was no place for a last line");
    if (const auto base = keep_account_ ? written_by(socket, so_far) : std::nullopt) {
        record.accounted = 1;
        record.written_base = *base;
    }
    record.line_bytes = static_cast<uint8_t>(line.size());
    std::memcpy(record.line, line.data(), line.size());
    return {.place = static_cast<uint32_t>(free - records_.begin()), .record = record};
}

void LingeringClose::begin(const LingeringPlace& planned) {
    ++next_order_;
    if (!has_descriptors_for_clients(any_fd_))
        close_oldest();
    say_line(records_[planned.place]);
    linger(planned.place);
}

void LingeringClose::say_line(LingeringRecord& record) const {
    [[maybe_unused]] const ssize_t sent =
        ::write(number_of(record.socket), record.line, record.line_bytes);
    master_point(MasterPoint::line_sent);
    store_release(record.told, 1);
    master_point(MasterPoint::line_noted);
}

void LingeringClose::linger(uint32_t place) {
    const int socket = socket_of(place);
    const bool ended = ::shutdown(socket, SHUT_WR) == -1 || discard_input(socket);
    master_point(MasterPoint::line_finished);
    if (ended || events_.watch_readable(socket, tag_) != 0)
        return close(place);
    if (waiting_.size() == lingering_max)
        close_oldest();
    waiting_.push_back(place);
    if (timed_ == 0)
        arm_timer();
}

// This is the only copy of the socket: closing it removes its filter.
void LingeringClose::close(uint32_t place) {
    ::close(socket_of(place));
    master_point(MasterPoint::lingering_closed);
    store_release(records_[place].socket.word, 0);
}

bool LingeringClose::close_oldest() {
    if (waiting_.empty())
        return false;
    close(waiting_.front());
    waiting_.pop_front();
    timed_ -= timed_ > 0 ? 1 : 0;
    return true;
}

void LingeringClose::readable(int fd) {
    const auto found = std::ranges::find_if(
        waiting_, [this, fd](uint32_t place) { return socket_of(place) == fd; });
    if (found == waiting_.end() || !discard_input(fd))
        return;
    if (static_cast<size_t>(found - waiting_.begin()) < timed_)
        --timed_;
    close(*found);
    waiting_.erase(found);
}

void LingeringClose::timer() {
    const ServedClock::time_point now = clock_.now();
    if (timed_ > 0 && now < due_ && set_timer(due_ - now))
        return;
    for (; timed_ > 0; --timed_) {
        close(waiting_.front());
        waiting_.pop_front();
    }
    if (!waiting_.empty())
        arm_timer();
}

void LingeringClose::close_all() {
    for (const uint32_t place : waiting_)
        close(place);
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
