#include "knote_table.h"

namespace kq {

namespace {

// Internal tags have generation 0. The high bit keeps the epoll data of foreign registrations (a
// small number, a pointer) from looking like a knote's tag.
constexpr std::uint32_t first_generation = 0x80000000;

bool names_descriptor(std::int16_t filter) {
    return filter == EVFILT_READ || filter == EVFILT_WRITE;
}

} // namespace

std::uint32_t* KnoteTable::slot_of(std::int16_t filter, std::uintptr_t ident) {
    if (names_descriptor(filter)) {
        if (ident >= descriptors_.size())
            return nullptr;
        OfDescriptor& of = descriptors_[ident];
        return filter == EVFILT_READ ? &of.read : &of.write;
    }
    const auto found = others_.find({filter, ident});
    return found == others_.end() ? nullptr : &found->second;
}

std::uint32_t& KnoteTable::make_slot_of(std::int16_t filter, std::uintptr_t ident) {
    if (!names_descriptor(filter))
        return others_.try_emplace({filter, ident}, no_index).first->second;
    if (ident >= descriptors_.size())
        descriptors_.resize(ident + 1 + ident / 2);
    return *slot_of(filter, ident);
}

Knote* KnoteTable::find(std::int16_t filter, std::uintptr_t ident) {
    const std::uint32_t* slot = slot_of(filter, ident);
    return slot == nullptr || *slot == no_index ? nullptr : &slots_[*slot];
}

Knote& KnoteTable::create(std::int16_t filter, std::uintptr_t ident) {
    if (free_.empty()) {
        if (slots_.size() == slots_.capacity()) {
            slots_.reserve(slots_.size() * 2 + 16);
            free_.reserve(slots_.capacity()); // so that destroy() cannot fail
        }
        Knote fresh{};
        fresh.generation = first_generation;
        fresh.index = static_cast<std::uint32_t>(slots_.size());
        slots_.push_back(fresh);
        free_.push_back(fresh.index);
    }
    std::uint32_t& slot = make_slot_of(filter, ident);
    slot = free_.back();
    free_.pop_back();

    Knote& knote = slots_[slot];
    const std::uint32_t generation = knote.generation;
    const std::uint32_t index = knote.index;
    knote = Knote{};
    knote.generation = generation;
    knote.index = index;
    knote.filter = filter;
    knote.ident = ident;
    knote.fd = -1;
    knote.watch = Knote::no_watch;
    knote.in_use = true;
    return knote;
}

void KnoteTable::destroy(Knote& knote) {
    if (names_descriptor(knote.filter))
        *slot_of(knote.filter, knote.ident) = no_index;
    else
        others_.erase({knote.filter, knote.ident});
    knote.in_use = false;
    knote.generation = knote.generation == UINT32_MAX ? first_generation : knote.generation + 1;
    free_.push_back(knote.index);
}

} // namespace kq
