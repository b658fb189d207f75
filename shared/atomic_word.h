// Loads and stores of the segment's words that several processes look at.
//
// The segment holds plain integers (layout.h); these functions are the only way to touch one that
// another process may be writing. All are lock-free, so a process killed in the midst of one leaves
// either the old value or the new one.
#pragma once

#include <atomic>
#include <type_traits>

namespace chatserv {

template <typename Word>
concept SharedWord = std::is_integral_v<Word> && std::atomic_ref<Word>::is_always_lock_free;

template <SharedWord Word>
[[nodiscard]] inline Word load_acquire(const Word& word) {
    // atomic_ref<const T> came after C++20; a load does not write.
    return std::atomic_ref<Word>(const_cast<Word&>(word)).load(std::memory_order_acquire);
}

template <SharedWord Word>
inline void store_release(Word& word, std::type_identity_t<Word> value) {
    std::atomic_ref<Word>(word).store(value, std::memory_order_release);
}

// Swaps in `value` and returns what was there.
template <SharedWord Word>
inline Word exchange(Word& word, std::type_identity_t<Word> value) {
    return std::atomic_ref<Word>(word).exchange(value, std::memory_order_acq_rel);
}

// Stores `desired` where `expected` was; false where something else was.
template <SharedWord Word>
[[nodiscard]] inline bool replace_if(
    Word& word, std::type_identity_t<Word> expected, std::type_identity_t<Word> desired) {
    return std::atomic_ref<Word>(word).compare_exchange_strong(
        expected, desired, std::memory_order_acq_rel, std::memory_order_relaxed);
}

// Between a store and a load of another word, where another process does the same the other way
// round and at least one of the two must see the other's store (sleeping and waking, for one).
inline void full_fence() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

} // namespace chatserv
