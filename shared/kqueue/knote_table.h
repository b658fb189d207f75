// The knotes of one kqueue. An event finds its knote by index and generation, without a search, a
// hash or an allocation. A change finds it by filter and ident.
//
// A slot's generation is raised when its knote is dropped, so that a late epoll event of the former
// knote is recognised. Pointers and references are valid until the next create().
#pragma once

#include "knote.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace kq {

class KnoteTable {
public:
    static constexpr std::uint32_t no_index = Knote::no_index;

    // Null if there is no such knote.
    [[nodiscard]] Knote* find(std::int16_t filter, std::uintptr_t ident);

    // Null if no present knote has this tag.
    [[nodiscard]] Knote* find(std::uint64_t tag) {
        const auto index = static_cast<std::uint32_t>(tag);
        if (index >= slots_.size() || slots_[index].generation != tag >> 32)
            return nullptr;
        return &slots_[index];
    }
    [[nodiscard]] static std::uint64_t tag(const Knote& knote) {
        return std::uint64_t{knote.generation} << 32 | knote.index;
    }
    [[nodiscard]] Knote& at(std::uint32_t index) { return slots_[index]; }

    // Makes the knote of a filter and ident that have none. If it throws std::bad_alloc, nothing
    // has changed.
    Knote& create(std::int16_t filter, std::uintptr_t ident);
    void destroy(Knote& knote);

    // Calls f(Knote&) for each knote. f may destroy that knote, or create others.
    template <class F>
    void for_each(F f) {
        // NOLINTNEXTLINE(modernize-loop-convert): the slots can become more.
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].in_use)
                f(slots_[i]);
        }
    }

private:
    struct OfDescriptor {
        std::uint32_t read = no_index;
        std::uint32_t write = no_index;
    };
    struct Key {
        std::int16_t filter;
        std::uintptr_t ident;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const {
            return std::hash<std::uintptr_t>{}(
                key.ident * 16 - static_cast<std::uintptr_t>(key.filter));
        }
    };

    std::uint32_t* slot_of(std::int16_t filter, std::uintptr_t ident);
    std::uint32_t& make_slot_of(std::int16_t filter, std::uintptr_t ident);

    std::vector<Knote> slots_;
    std::vector<std::uint32_t> free_;
    std::vector<OfDescriptor> descriptors_; // by descriptor number
    std::unordered_map<Key, std::uint32_t, KeyHash> others_;
};

} // namespace kq
