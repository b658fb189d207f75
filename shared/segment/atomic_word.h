// Loads and stores of the words of the segment that several processes access.
//
// The segment holds plain integers (layout.h). A word that another process may be writing is
// accessed through these functions only. All of them are lock-free: a process that is killed during
// one leaves either the old value or the new one.
#pragma once

#include <atomic>
#include <type_traits>

namespace chatserv {

// std::atomic_ref where the library has it. LLVM's library has it from release 19 on; an older one
// gets the compiler's built-in functions, on which atomic_ref is built. CHATSERV_ATOMIC_BUILTINS
// selects those everywhere.
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

// Stores `value` and returns the value that it replaced.
template <SharedWord Word>
inline Word exchange(Word& word, std::type_identity_t<Word> value) {
    return std::atomic_ref<Word>(word).exchange(value, std::memory_order_acq_rel);
}

// Stores `desired` if the word holds `expected`; returns false if it holds another value.
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

// Stands between a store and a load of another word, where a second process stores and loads the
// same two words the other way round. At least one of the two processes then sees the other's
// store. Sleeping and waking depend on this (shared/ipc/doorbell.h).
inline void full_fence() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

} // namespace chatserv
