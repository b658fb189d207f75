// The tag of an event: what it is about, in a process's own terms.
#pragma once

#include "shared/system/panic.h"

#include <cstdint>
#include <type_traits>

namespace chatserv {

// What a process can watch: an enumeration of its own, with a value for each kind of thing.
template <typename Kind>
concept TagKind = std::is_enum_v<Kind> && sizeof(Kind) == sizeof(uint8_t);

// What an event is about, in the 64 bits that kqueue(2) keeps for its caller (udata). No pointer,
// which could outlive its object: index and generation let a late event be recognized.
class Tag {
public:
    static constexpr uint32_t indexes = 1U << 24;

    // `index` is below `indexes`.
    template <TagKind Kind>
    constexpr Tag(Kind kind, uint32_t index = 0, uint32_t generation = 0) :
        word_(static_cast<uint64_t>(generation) << 32 | static_cast<uint64_t>(index) << 8 |
              static_cast<uint8_t>(kind)) {
        invariant(index < indexes, "a tag had no room for an index");
    }
    // A tag as udata holds it.
    constexpr explicit Tag(uint64_t word) : word_(word) {}

    template <TagKind Kind>
    [[nodiscard]] constexpr Kind kind() const {
        return static_cast<Kind>(static_cast<uint8_t>(word_));
    }
    [[nodiscard]] constexpr uint32_t index() const { return static_cast<uint32_t>(word_) >> 8; }
    [[nodiscard]] constexpr uint32_t generation() const {
        return static_cast<uint32_t>(word_ >> 32);
    }
    [[nodiscard]] constexpr Tag with_generation(uint32_t generation) const {
        return Tag(static_cast<uint64_t>(generation) << 32 | static_cast<uint32_t>(word_));
    }
    [[nodiscard]] constexpr uint64_t word() const { return word_; }

    bool operator==(const Tag&) const = default;

private:
    uint64_t word_; // generation << 32 | index << 8 | kind
};

} // namespace chatserv
