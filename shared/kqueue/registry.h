// All kqueues of the process, by descriptor number.
//
// The table grows by whole pieces that never move, and each entry has one owner. So threads that
// each have a kqueue need no lock.
#pragma once

#include "kqueue.h"

#include <array>
#include <atomic>
#include <cstddef>

namespace kq {

struct RegistryEntry {
    std::atomic<Kqueue*> kqueue{nullptr};
    std::atomic<const void*> thread{nullptr}; // identifies the owner
};
constexpr std::size_t registry_piece = 1024;
constexpr std::size_t registry_pieces_max = 1024; // a million descriptors, Linux's own limit
inline std::array<std::atomic<RegistryEntry*>, registry_pieces_max> registry;

// Null if the number is not a kqueue.
[[nodiscard]] inline Kqueue* find_kqueue(int number) {
    const auto index = static_cast<std::size_t>(number);
    if (number < 0 || index / registry_piece >= registry_pieces_max)
        return nullptr;
    RegistryEntry* piece = registry[index / registry_piece].load(std::memory_order_acquire);
    return piece == nullptr ? nullptr
                            : piece[index % registry_piece].kqueue.load(std::memory_order_acquire);
}

// Makes a kqueue. Returns its number, or a negated errno. Throws std::bad_alloc.
[[nodiscard]] int make_kqueue();

// Forgets a kqueue whose number the caller has closed.
void forget_kqueue(int number);

// Tells the other kqueues of this thread that the kqueue `number`, which they may watch, has a new
// epoll set.
void notify_watchers(int number);

} // namespace kq
