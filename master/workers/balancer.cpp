#include "master/workers/balancer.h"

#include "master/workers/worker_events.h"

#include <algorithm>
#include <utility>

namespace chatserv {

namespace {

// Each client that moves costs both of its workers a few system calls, and others wait meanwhile.
// So many move at a time.
constexpr uint32_t clients_per_step = 1000;
constexpr std::chrono::milliseconds time_between_steps{250};

} // namespace

// Only where there is something to decide.
bool Balancer::is_idle() const {
    return (policy_ == PlacementPolicy::even && !spreads_once_) || workers_ == 1 || stopped_ ||
           escrow_.empty();
}

void Balancer::follow(PlacementPolicy policy, uint32_t workers) {
    if (policy == policy_ && workers == workers_)
        return;
    policy_ = policy;
    workers_ = workers;
    spreads_once_ = policy == PlacementPolicy::even;
}

bool Balancer::all_served() const {
    for (uint32_t index = 0; index < workers_; ++index)
        if (!seat_of_(EntryId{index}))
            return false;
    return true;
}

EntryId Balancer::entry_for_newcomer() const {
    return chatserv::entry_for_newcomer(loads());
}

uint32_t Balancer::width() const {
    return policy_ == PlacementPolicy::even ? workers_ : spread_.width();
}

// The first entries that are not drained are in use. An entry stays in use while its worker is
// replaced: its clients come back to it. Entries out of service are left out.
std::vector<EntryLoad> Balancer::loads() const {
    std::vector<EntryLoad> loads;
    loads.reserve(workers_);
    uint32_t in_use = 0;
    for (uint32_t index = 0; index < workers_; ++index) {
        const EntryId entry{index};
        const bool drained = draining_.is_drained(entry);
        const bool is_in_use = !drained && in_use < width();
        in_use += is_in_use ? 1 : 0;
        // A client that was asked for can have left since.
        const uint32_t clients = escrow_.clients_of(entry);
        const uint32_t staying = clients - std::min(clients, moving_.asked_of(entry));
        loads.push_back({.served = seat_of_(entry).has_value(),
            .clients = staying + moving_.asked_for(entry),
            .drained = drained,
            .in_use = is_in_use});
    }
    return loads;
}

void Balancer::look(Clock::time_point now) {
    if (is_idle())
        return;
    const bool looks = now - looked_ >= spread_.pace().earliest;
    if (looks)
        look_at_load(now);
    if (looks || (evens_out_ && now - evened_ >= time_between_steps))
        even_out(now);
}

void Balancer::look_at_load(Clock::time_point now) {
    const Spread::Seen seen = observe(now);
    if (policy_ == PlacementPolicy::even)
        return;
    if (const auto reason = spread_.look(seen, now))
        events::spread(spread_.width(), *reason);
}

bool Balancer::is_moving() const {
    for (uint32_t index = 0; index < entries_; ++index)
        if (moving_.under_way_from(EntryId{index}) > 0)
            return true;
    return !shifts(1).empty();
}

std::vector<Shift> Balancer::shifts(uint32_t clients_max) const {
    return shifts_to_even_out(
        loads(), clients_max, evens_out_ ? Difference::small : Difference::large);
}

Spread::Seen Balancer::observe(Clock::time_point now) {
    watch_.look(now, seat_of_);
    const std::chrono::duration<double> time = now - std::exchange(looked_, now);
    const uint64_t head = log_.head();
    const uint64_t head_before = std::exchange(head_, head);
    Spread::Seen seen{.usable = 0,
        .processors = processors_(),
        .clients = escrow_.held(),
        .moving = std::exchange(was_moving_, false) || is_moving(),
        .busiest = 0,
        .awake = 0,
        .passes = {},
        // A faulty worker can have set it back.
        .bytes_per_second =
            head < head_before ? 0 : static_cast<double>(head - head_before) / time.count()};
    const std::vector<EntryLoad> loads = this->loads();
    for (uint32_t index = 0; index < workers_; ++index) {
        seen.usable += loads[index].drained ? 0 : 1;
        if (!loads[index].in_use)
            continue;
        const WorkerLoad& load = watch_.load_of(EntryId{index});
        seen.busiest = std::max(seen.busiest, load.awake);
        seen.awake += load.awake;
        seen.passes += load.pass;
    }
    seen.usable = std::max(seen.usable, 1U);
    return seen;
}

void Balancer::even_out(Clock::time_point now) {
    const std::vector<Shift> shifts = this->shifts(clients_per_step);
    for (const Shift& shift : shifts) {
        std::vector<ClientId> clients = escrow_.all_of(shift.from);
        std::erase_if(clients, [this](ClientId client) { return moving_.is_moving(client); });
        clients.resize(std::min<size_t>(clients.size(), shift.clients));
        moving_.ask(shift.from, shift.to, clients);
    }
    evened_ = now;
    evens_out_ = !shifts.empty();
    const bool moving = is_moving();
    was_moving_ = was_moving_ || moving;
    spreads_once_ = policy_ == PlacementPolicy::even && (!all_served() || moving);
}

std::optional<Balancer::Clock::time_point> Balancer::next_look() const {
    if (is_idle())
        return std::nullopt;
    const Clock::time_point look = looked_ + spread_.pace().latest;
    return evens_out_ ? std::min(look, evened_ + time_between_steps) : look;
}

} // namespace chatserv
