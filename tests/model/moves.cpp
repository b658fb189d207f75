// The simulator as the search sees it: the moves that there are in a state, to make one, and to
// tell states apart.
#include "tests/model/simulator.h"

#include <bit>
#include <cstring>
#include <span>

namespace chatserv::model {

namespace {

constexpr uint64_t nonsense = 0x0101010101010101;

} // namespace

void Hash::add(uint64_t value) {
    // To have learnt a zero is not to have learnt nothing.
    high = (std::rotl(high, 23) ^ value) * 0x9e3779b97f4a7c15 + 0x632be59bd9b4e019;
    low = (std::rotl(low, 29) + value) * 0xc2b2ae3d27d4eb4f + 0xd6e8feb86659fd93;
    low ^= high >> 32;
}

void Simulator::moves(std::vector<Move>& moves) const {
    moves.clear();
    for (size_t process = 0; process < processes_.size(); ++process)
        add_moves_of(process, moves);
    for (size_t i = 0; i < happenings_.size(); ++i)
        if (happenings_[i].possible(state_))
            moves.push_back({happenings_[i].is_mishap ? Move::Kind::mishap : Move::Kind::happening,
                static_cast<uint8_t>(i), 0});
}

void Simulator::add_moves_of(size_t process, std::vector<Move>& moves) const {
    const ProcessState& state = state_.processes[process];
    const auto number = static_cast<uint8_t>(process);
    if (state.dead)
        return;
    if (state.step.possible == nullptr || state.step.possible(state_, process))
        moves.push_back({Move::Kind::step, number, 0});
    for (const Store& store : state.buffer.all()) {
        if (store.quiet == 0) {
            moves.push_back({Move::Kind::flush, number, 0});
            break;
        }
    }
    if (!can_be_killed(process))
        return;
    for (uint64_t unmade = 0; unmade <= state.buffer.recent; ++unmade)
        moves.push_back({Move::Kind::kill, number, static_cast<uint8_t>(unmade)});
}

bool Simulator::can_be_killed(size_t process) const {
    return processes_[process].killable && state_.kills_left > 0 &&
           state_.processes[process].entry != no_entry;
}

void Simulator::make(const Move& move) {
    ProcessState& process = state_.processes[move.process]; // of a step, a flush or a kill
    switch (move.kind) {
    case Move::Kind::step:
        if (in_order_)
            drain(process);
        run(move.process);
        break;
    case Move::Kind::flush: {
        size_t number = 0;
        do {
            Memory::apply(state_.memory, process.buffer.stores[number]);
        } while (process.buffer.stores[number++].quiet != 0);
        process.buffer.drop_front(number);
        break;
    }
    case Move::Kind::kill:
        process.buffer.count -= move.unmade;
        drain(process);
        process.dead = true;
        process.history = {};
        --state_.kills_left;
        state_.kernel.bury(move.process, process.entry == entry_master);
        if (process.entry == entry_bridge)
            state_.stream.disconnect();
        for (const Draft& draft : drafts_)
            if (process.entry == draft.owner)
                spoil(draft);
        break;
    case Move::Kind::happening:
    case Move::Kind::mishap:
        happenings_[move.process].happen(state_);
        break;
    }
}

// Nobody may read a draft that is not valid. So that its contents make no difference to the search,
// and somebody who reads it is noticed, it is filled with nonsense.
void Simulator::spoil(const Draft& draft) {
    if ((state_.memory[draft.begin] & draft.valid_mask) != 0)
        return;
    state_.memory[draft.begin] = nonsense & ~draft.valid_mask;
    for (uint32_t granule = draft.begin + 1; granule < draft.end; ++granule)
        state_.memory[granule] = nonsense;
}

Hash Simulator::hash() const {
    Hash hash;
    for (size_t granule = 0; granule < memory_.granules(); ++granule)
        hash.add(state_.memory[granule]);
    for (const ProcessState& process : std::span(state_.processes).first(processes_.size())) {
        hash.add(process.history.high);
        hash.add(process.history.low);
        hash.add((process.dead ? 1U : 0U) | process.buffer.count << 1);
        for (const Store& store : process.buffer.all()) {
            hash.add(store.granule | store.mask << 32);
            hash.add(store.mask ^ store.value);
        }
    }
    hash.add(state_.kills_left);
    std::array<uint64_t, (sizeof(KernelState) + 7) / 8> kernel{};
    std::memcpy(kernel.data(), &state_.kernel, sizeof(KernelState));
    for (const uint64_t word : kernel)
        hash.add(word);
    state_.stream.add_to(hash);
    return hash;
}

std::string Simulator::describe(const Move& move) const {
    if (move.kind == Move::Kind::happening || move.kind == Move::Kind::mishap)
        return happenings_[move.process].what;
    const ProcessState& process = state_.processes[move.process];
    std::string text = processes_[move.process].name;
    switch (move.kind) {
    case Move::Kind::flush:
        for (const Store& store : process.buffer.all()) {
            if (store.quiet == 0)
                return text + ": its store to " + memory_.name(store.granule) +
                       " reaches the memory";
        }
        return text;
    case Move::Kind::kill:
        text += " is killed before it ";
        break;
    default:
        text += " ";
        break;
    }
    text += process.step.what;
    if (process.step.granule != Step::nowhere)
        text += " " + memory_.name(process.step.granule);
    if (process.step.value != 0)
        text += " (" + std::to_string(static_cast<int64_t>(process.step.value)) + ")";
    return text;
}

void Simulator::save(Snapshot& snapshot) const {
    snapshot.state = state_;
    for (size_t i = 0; i < processes_.size(); ++i)
        processes_[i].fiber->save(snapshot.fibers[i]);
}

void Simulator::restore(const Snapshot& snapshot) {
    state_ = snapshot.state;
    for (size_t i = 0; i < processes_.size(); ++i)
        processes_[i].fiber->restore(snapshot.fibers[i]);
}

void Simulator::show_memory() {
    Memory::Contents contents = state_.memory;
    for (const ProcessState& process : state_.processes)
        for (const Store& store : process.buffer.all())
            Memory::apply(contents, store);
    memory_.show(contents, {});
}

} // namespace chatserv::model
