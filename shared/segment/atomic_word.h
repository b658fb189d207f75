// Loads and stores of the segment's words that several processes look at.
//
// The segment holds plain integers (layout.h); these functions are the only way to touch one that
// another process may be writing. All are lock-free, so a process killed in the midst of one leaves
// either the old value or the new one.
#pragma once

#include <atomic>
#include <type_traits>

namespace chatserv {

// std::atomic_ref where the library has it. LLVM's has it from release 19 on; before, what it would
// be made of, the compiler's own functions, is used. CHATSERV_ATOMIC_BUILTINS asks for those.
#if defined(__cpp_lib_atomic_ref) && !defined(CHATSERV_ATOMIC_BUILTINS)

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

#else

template <typename Word>
concept SharedWord = std::is_integral_v<Word> && __atomic_always_lock_free(sizeof(Word), nullptr);

template <SharedWord Word>
[[nodiscard]] inline Word load_acquire(const Word& word) {
    return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}

template <SharedWord Word>
inline void store_release(Word& word, std::type_identity_t<Word> value) {
    __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

template <SharedWord Word>
inline Word exchange(Word& word, std::type_identity_t<Word> value) {
    return __atomic_exchange_n(&word, value, __ATOMIC_ACQ_REL);
}

template <SharedWord Word>
[[nodiscard]] inline bool replace_if(
    Word& word, std::type_identity_t<Word> expected, std::type_identity_t<Word> desired) {
    constexpr bool weak = false;
    return __atomic_compare_exchange_n(
        &word, &expected, desired, weak, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

#endif

// Between a store and a load of another word, where another process does the same the other way
// round and at least one of the two must see the other's store (sleeping and waking, for one).
inline void full_fence() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

} // namespace chatserv
