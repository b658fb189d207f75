// Stands in for shared/segment/atomic_word.h where the product's sources are compiled into the
// model: the same functions, each of which is a step of a simulated process
// (tests/model/simulator.h).
#pragma once

#include "tests/model/port.h"

#include <cstring>
#include <type_traits>

namespace chatserv {

template <typename Word>
concept SharedWord = std::is_integral_v<Word> && __atomic_always_lock_free(sizeof(Word), nullptr) &&
    (sizeof(Word) == 1 || sizeof(Word) == 4 || sizeof(Word) == 8);

template <SharedWord Word>
[[nodiscard]] inline Word load_acquire(const Word& word) {
    return static_cast<Word>(model::load(&word, sizeof word));
}

template <SharedWord Word>
inline void store_release(Word& word, std::type_identity_t<Word> value) {
    model::store(&word, sizeof word, static_cast<uint64_t>(value));
}

template <SharedWord Word>
inline Word exchange(Word& word, std::type_identity_t<Word> value) {
    return static_cast<Word>(model::exchange(&word, sizeof word, static_cast<uint64_t>(value)));
}

template <SharedWord Word>
[[nodiscard]] inline bool replace_if(
    Word& word, std::type_identity_t<Word> expected, std::type_identity_t<Word> desired) {
    return model::replace_if(
        &word, sizeof word, static_cast<uint64_t>(expected), static_cast<uint64_t>(desired));
}

inline void full_fence() {
    model::full_fence();
}

} // namespace chatserv
