#include "tests/model/simulator.h"

#include "shared/system/panic.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace chatserv::model {

namespace {

Simulator* active_simulator = nullptr;

} // namespace

Simulator* active() {
    return active_simulator;
}

Simulator::Simulator() {
    last_values_.fill(not_last);
}
Simulator::~Simulator() = default;

void Simulator::add_process(
    const char* name, uint32_t entry, bool killable, std::function<void()> body) {
    invariant(processes_.size() < processes_max, "too many processes");
    state_.processes[processes_.size()].entry = entry;
    processes_.push_back({name, killable, std::make_unique<Fiber>(std::move(body))});
}

void Simulator::start() {
    state_.memory = memory_.read();
    for (size_t process = 0; process < processes_.size(); ++process)
        run(process);
}

void Simulator::run(size_t process) {
    memory_.show(state_.memory, state_.processes[process].buffer);
    running_ = process;
    self().buffer.recent = 0;
    active_simulator = this;
    processes_[process].fiber->resume();
    active_simulator = nullptr;
    collect_plain_stores();
}

void Simulator::collect_plain_stores() {
    const StoreBuffer stores = memory_.collect();
    for (const Store& store : stores.all()) {
        check_store(store);
        if (!fault_.lost || !fault_.lost(store))
            buffer(store);
    }
}

void Simulator::drain(ProcessState& process) {
    for (const Store& store : process.buffer.all())
        Memory::apply(state_.memory, store);
    process.buffer.count = 0;
    process.buffer.recent = 0;
}

bool Simulator::is_own(uint32_t granule) const {
    return static_cast<uint32_t>(memory_.owner(granule)) == state_.processes[running_].entry &&
           state_.processes[running_].entry != no_entry;
}

bool Simulator::loads_alone(uint32_t granule) const {
    const Access access = memory_.access(granule);
    if (access == Access::locked && state_.processes[running_].entry != no_entry)
        return state_.memory[lock_] == state_.processes[running_].entry + 1;
    return access == Access::still || has_last_value(granule) ||
           ((access == Access::own || access == Access::kept) && is_own(granule));
}

void Simulator::check_load(uint32_t granule) const {
    if (memory_.access(granule) == Access::own && !is_own(granule))
        check_owner_is_dead(granule);
}

// To store once more what is there changes nothing (LogAppender::repair does it).
void Simulator::check_store(const Store& store) const {
    if (((state_.memory[store.granule] ^ store.value) & store.mask) == 0)
        return;
    const Access access = memory_.access(store.granule);
    invariant(access != Access::still, "the model is wrong: nobody should store there");
    invariant(!has_last_value(store.granule), "more was stored than all that there is");
    if ((access == Access::own || access == Access::kept) && !is_own(store.granule))
        check_owner_is_dead(store.granule);
}

void Simulator::check_owner_is_dead(uint32_t granule) const {
    for (const ProcessState& process : std::span(state_.processes).first(processes_.size()))
        invariant(process.dead || process.entry != static_cast<uint32_t>(memory_.owner(granule)),
            "the model is wrong: only its owner should touch that");
}

void Simulator::wait_for_turn(const Step& step) {
    self().step = step;
    processes_[running_].fiber->suspend();
    note(1); // that it has got so far, where the step tells it nothing else
}

// What a load of this value finds, faults included.
uint64_t Simulator::found(uint32_t granule, uint64_t value) const {
    if (fault_.unseen && fault_.unseen(running_, granule))
        return 0;
    return fault_.misread ? fault_.misread(granule).value_or(value) : value;
}

uint64_t Simulator::load(const void* word, size_t bytes) {
    const uint32_t granule = memory_.locate(word, bytes, 0).granule;
    const auto now = [&] {
        uint64_t value = 0;
        std::memcpy(&value, word, bytes);
        return value;
    };
    check_load(granule);
    const bool spun = memory_.access(granule) == Access::spun;
    const bool spins = spun && self().spins && self().spun == granule && self().spun_value == now();
    if (!spins && !loads_alone(granule))
        wait_for_turn({.what = "loads", .granule = granule});
    const uint64_t value = found(granule, now());
    self().spins = spun;
    self().spun = granule;
    self().spun_value = value;
    note(value);
    return value;
}

void Simulator::store(void* word, size_t bytes, uint64_t value) {
    const Store store = memory_.locate(word, bytes, value);
    check_store(store);
    collect_plain_stores();
    self().spins = false;
    if (fault_.lost && fault_.lost(store))
        return;
    StoreBuffer late{};
    if (fault_.late && store.granule == fault_.after) {
        StoreBuffer kept{};
        for (const Store& earlier : self().buffer.all())
            (fault_.late(earlier) ? late : kept).push(earlier);
        kept.recent = std::min(kept.count, self().buffer.recent);
        self().buffer = kept;
    }
    buffer(store);
    for (const Store& earlier : late.all())
        buffer(earlier);
    memory_.show(store);
}

// A store that nobody could see before it is overwritten need not wait in a buffer, unless a death
// can come before it.
void Simulator::buffer(const Store& store) {
    const bool alone = memory_.access(store.granule) == Access::own && is_own(store.granule);
    const bool never_killed = !processes_[running_].killable;
    if (alone && (never_killed || (state_.kills_left == 0 && self().buffer.count == 0)))
        Memory::apply(state_.memory, store);
    else
        self().buffer.push(store);
}

void Simulator::put_in_memory(const Store& store) {
    drain(self());
    Memory::apply(state_.memory, store);
    memory_.show(store);
}

uint64_t Simulator::exchange(void* word, size_t bytes, uint64_t value) {
    const Store store = memory_.locate(word, bytes, value);
    wait_for_turn({.what = "exchanges", .granule = store.granule, .value = value});
    uint64_t before = 0;
    std::memcpy(&before, word, bytes);
    put_in_memory(store);
    self().spins = false;
    note(before);
    return before;
}

bool Simulator::replace_if(void* word, size_t bytes, uint64_t expected, uint64_t desired) {
    const Store store = memory_.locate(word, bytes, desired);
    wait_for_turn({.what = "tries to replace", .granule = store.granule, .value = desired});
    drain(self());
    uint64_t before = 0;
    std::memcpy(&before, word, bytes);
    self().spins = false;
    note(before);
    if (before != expected)
        return false;
    put_in_memory(store);
    for (const uint32_t granule : read_plainly_)
        note(state_.memory[granule]);
    return true;
}

void Simulator::full_fence() {
    if (in_order_ || (fault_.no_fence && fault_.no_fence(running_)))
        return;
    collect_plain_stores();
    if (self().buffer.count == 0)
        return;
    wait_for_turn({.what = "fence"});
    drain(self());
}

void Simulator::call(const char* what, bool (*possible)(const State&, size_t process)) {
    wait_for_turn({.what = what, .possible = possible});
    drain(self());
    self().spins = false;
}

void Simulator::call_alone(const char* what) {
    collect_plain_stores();
    if (can_be_killed(running_) || self().buffer.count > 0)
        call(what);
}

void Simulator::call_wrote() {
    collect_plain_stores();
    drain(self());
}

void Simulator::fail(const char* what) {
    state_.violation = what;
    for (;;)
        wait_for_turn(
            {.what = "nothing more", .possible = [](const State&, size_t) { return false; }});
}

} // namespace chatserv::model
