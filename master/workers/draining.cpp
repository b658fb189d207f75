#include "master/workers/draining.h"

#include "master/workers/worker_events.h"
#include "shared/ipc/unix_socket.h"

#include <algorithm>
#include <chrono>
#include <fmt/core.h>

namespace chatserv {

namespace {

// How many clients of one entry move at the same time: one message's worth.
constexpr uint32_t moving_max = descriptors_max;

} // namespace

Draining::Draining(std::span<EntryRecord> entries, const Escrow& escrow, Moving& moving,
    ServedClock& clock, IsServed is_served) :
    escrow_(escrow),
    moving_(moving), clock_(clock), is_served_(std::move(is_served)), records_(entries),
    pages_(entries.size()), workers_(static_cast<uint32_t>(entries.size())) {
    for (uint32_t index = 0; index < pages_.size(); ++index)
        if (records_[index].drained != 0)
            pages_[index] = {.drained = true,
                .under_way = escrow_.clients_of(EntryId{index}) > 0,
                .begun = clock_.now()};
}

void Draining::follow(uint32_t workers) {
    workers_ = workers;
    for (uint32_t index = workers_; index < pages_.size(); ++index) {
        if (pages_[index].under_way)
            finish(EntryId{index}, false);
        records_[index].drained = 0;
        pages_[index] = {};
    }
}

std::optional<std::string> Draining::begin(uint32_t worker) {
    if (!exists(worker))
        return fmt::format("there is no worker {}", worker);
    if (stopped_)
        return "the server is stopping";
    if (workers_ == 1)
        return fmt::format("worker {} is the only worker", worker);
    const EntryId entry{worker - 1};
    if (is_drained(entry))
        return fmt::format("worker {} is drained already", worker);
    bool another = false;
    for (uint32_t index = 0; index < workers_; ++index)
        another = another || (EntryId{index} != entry && takes_clients(EntryId{index}));
    if (!another)
        return "every other worker is drained or being replaced";
    records_[index_of(entry)].drained = 1;
    pages_[index_of(entry)] = {.drained = true,
        .under_way = true,
        .begun = clock_.now(),
        .moved_before = moving_.moved_from(entry)};
    events::drain_begun(entry, escrow_.clients_of(entry));
    return std::nullopt;
}

std::optional<std::string> Draining::end(uint32_t worker) {
    if (!exists(worker))
        return fmt::format("there is no worker {}", worker);
    const EntryId entry{worker - 1};
    if (!is_drained(entry))
        return fmt::format("worker {} is not drained", worker);
    if (pages_[index_of(entry)].under_way)
        finish(entry, false);
    records_[index_of(entry)].drained = 0;
    pages_[index_of(entry)] = {};
    events::drain_ended(entry);
    return std::nullopt;
}

bool Draining::any_under_way() const {
    return std::any_of(
        pages_.begin(), pages_.end(), [](const Page& page) { return page.under_way; });
}

std::vector<uint32_t> Draining::workers() const {
    std::vector<uint32_t> numbers;
    for (uint32_t index = 0; index < pages_.size(); ++index)
        if (pages_[index].drained)
            numbers.push_back(number_of(EntryId{index}));
    return numbers;
}

void Draining::look(const std::function<EntryId()>& choose) {
    for (uint32_t index = 0; index < pages_.size(); ++index) {
        const EntryId entry{index};
        if (!is_drained(entry))
            continue;
        if (!stopped_)
            ask_for_clients(entry, choose);
        if (pages_[index].under_way && escrow_.clients_of(entry) == 0 &&
            moving_.under_way_from(entry) == 0)
            finish(entry, true);
    }
}

// The next clients are chosen only when enough are missing, since each choice looks at every slot.
void Draining::ask_for_clients(EntryId entry, const std::function<EntryId()>& choose) {
    const uint32_t under_way = moving_.under_way_from(entry);
    if (!is_served_(entry) || under_way > moving_max / 2 ||
        escrow_.clients_of(entry) == moving_.asked_of(entry))
        return;
    uint32_t room = moving_max - under_way;
    for (const ClientId client : escrow_.all_of(entry)) {
        if (room == 0)
            return;
        if (moving_.is_moving(client))
            continue;
        const EntryId to = choose();
        if (!can_take_clients_of(entry, to))
            return; // until another worker is there
        moving_.ask(entry, to, std::span(&client, 1));
        --room;
    }
}

void Draining::finish(EntryId entry, bool complete) {
    Page& page = pages_[index_of(entry)];
    page.under_way = false;
    const double milliseconds =
        std::chrono::duration<double, std::milli>(clock_.now() - page.begun).count();
    finished_.push_back({.entry = entry,
        .users = moving_.moved_from(entry) - page.moved_before,
        .milliseconds = milliseconds,
        .complete = complete});
    if (complete)
        events::drained(entry, finished_.back().users, milliseconds);
}

} // namespace chatserv
