#include "worker/limits/idle_watch.h"

#include "shared/segment/atomic_word.h"
#include "worker/limits/timers.h"

#include <algorithm>

namespace chatserv {

namespace {

// The timer goes off no more often than this, however many clients are timed.
constexpr std::chrono::milliseconds timer_pause{10};

uint64_t nanoseconds_of(ServedClock::time_point instant) {
    return static_cast<uint64_t>(instant.time_since_epoch().count());
}

} // namespace

IdleWatch::IdleWatch(EventQueue& events, ServedClock& clock, const RelaySettings& settings) :
    clock_(clock), timeout_(settings.idle_timeout_ms), changed_ns_(settings.idle_changed_ns),
    timer_(events, static_cast<uintptr_t>(Timer::idle), timer_pause) {}

bool IdleWatch::follow(const RelaySettings& settings) {
    changed_ns_ = settings.idle_changed_ns;
    const std::chrono::milliseconds timeout(settings.idle_timeout_ms);
    if (timeout == timeout_)
        return false;
    timeout_ = timeout;
    deadlines_ = {};
    return timeout_.count() != 0;
}

// A client can have sent nothing for long when the timeout becomes shorter, and its worker can have
// died since, or have let it go. So it is the instant of the change that counts, by the clock that
// all processes share, and no word of a worker.
ServedClock::time_point IdleWatch::no_earlier_than() const {
    const auto steady_now = ServedClock::Steady::now().time_since_epoch();
    const std::chrono::nanoseconds left =
        timeout_ - (steady_now - std::chrono::nanoseconds(static_cast<int64_t>(changed_ns_)));
    return left.count() > 0 ? clock_.now() + left : ServedClock::time_point{};
}

void IdleWatch::note_heard(const Client& client) {
    if (timeout_.count() != 0)
        store_release(client.slot->heard_ns, nanoseconds_of(clock_.now()));
}

// The instant at which the client is idle if it sends nothing until then. A slot that holds no
// instant, or one of the future, which no worker can have stored, gets the present one.
ServedClock::time_point IdleWatch::deadline_of(const Client& client, ServedClock::time_point now) {
    const uint64_t heard_ns = load_acquire(client.slot->heard_ns);
    const uint64_t now_ns = nanoseconds_of(now);
    if (heard_ns == 0 || heard_ns > now_ns) {
        note_heard(client);
        return now + timeout_;
    }
    const ServedClock::time_point deadline =
        now - std::chrono::nanoseconds(static_cast<int64_t>(now_ns - heard_ns)) + timeout_;
    return changed_ns_ == 0 ? deadline : std::max(deadline, no_earlier_than());
}

uint64_t IdleWatch::quiet_ns(const Client& client, bool is_read) const {
    const uint64_t heard_ns = load_acquire(client.slot->heard_ns);
    const uint64_t now_ns = timeout_.count() != 0 ? nanoseconds_of(clock_.now()) : 0;
    return is_read && heard_ns != 0 && heard_ns < now_ns ? now_ns - heard_ns : 0;
}

// A client cannot have been heard before served time began. If the slot says so, because this entry
// stood still for most of the time since the system's start, it counts as heard then.
uint64_t IdleWatch::heard_ns(uint64_t quiet_ns) const {
    if (timeout_.count() == 0)
        return 0;
    const uint64_t now_ns = nanoseconds_of(clock_.now());
    return quiet_ns < now_ns ? now_ns - quiet_ns : 1;
}

void IdleWatch::watch(const Client& client) {
    if (timeout_.count() != 0 && client.is_heard())
        deadlines_.set(client.id, deadline_of(client, clock_.now()));
}

std::vector<ClientId> IdleWatch::take_due(ServedClock::time_point now) {
    timer_.went_off();
    return deadlines_.take_due(now);
}

bool IdleWatch::is_overdue(const Client& client, ServedClock::time_point now) {
    return deadline_of(client, now) <= now;
}

bool IdleWatch::is_idle(const Client& client, bool is_read, ServedClock::time_point now) {
    const auto deadline = is_read ? deadline_of(client, now) : now + timeout_;
    if (deadline <= now)
        return true;
    deadlines_.set(client.id, deadline);
    return false;
}

void IdleWatch::arm_timer() {
    if (!deadlines_.empty())
        timer_.arm(deadlines_.earliest(), [this] { return clock_.now(); });
}

ServedClock::duration IdleWatch::sleep_max() const {
    return deadlines_.empty() ? ServedClock::duration::max() : ServedClock::sleep_max(timeout_);
}

} // namespace chatserv
