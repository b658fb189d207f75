// The memory that the simulated processes share, with a store buffer for each process, as x86 has
// them (TSO): a store waits in its process's buffer, first in, first out, until it reaches the
// memory; a process sees its own stores before the others do.
//
// The product's code works on a real segment and a real ledger. While a process runs, they hold
// what that process sees; between steps, all that counts is here. Memory is looked at in granules
// of 8 bytes, of which only those that a test names take part. The model fails where a process
// touches others by the functions of atomic_word.h; find_stray_store() finds plain stores there.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chatserv::model {

inline constexpr size_t granules_max = 224;
inline constexpr size_t processes_max = 8;
inline constexpr size_t buffered_max = 72;

// What is known of who touches a granule, which saves the search what cannot make a difference.
// That it is so is checked wherever it is touched.
enum class Access : uint8_t {
    shared, // anybody, at any time
    spun,   // the same; to load the same value again is as good as having loaded it later
    locked, // only whoever holds the log's lock stores there
    kept,   // only its owner stores there
    own,    // only its owner touches it; others do once the owner is dead
    quiet,  // means nothing to others before the store that follows it has reached the memory
    still,  // nobody stores there
};

// A store of some bytes of a granule.
struct Store {
    uint64_t mask;
    uint64_t value;
    uint32_t granule;
    uint32_t quiet;
};

// Stores that did not reach the memory yet, oldest first.
struct StoreBuffer {
    std::array<Store, buffered_max> stores;
    uint64_t count = 0;
    uint64_t recent = 0; // of the newest: made since the process's last step

    StoreBuffer() = default;
    // What is behind the stores is not copied: the search copies buffers all the time.
    StoreBuffer(const StoreBuffer& other) { *this = other; }
    StoreBuffer& operator=(const StoreBuffer& other) {
        std::copy_n(other.stores.begin(), other.count, stores.begin());
        count = other.count;
        recent = other.recent;
        return *this;
    }

    [[nodiscard]] std::span<const Store> all() const { return {stores.data(), count}; }
    void push(const Store& store);
    void drop_front(size_t number);
};

class Memory {
public:
    using Contents = std::array<uint64_t, granules_max>;

    // From here on another mapping is watched.
    void begin_mapping() { mappings_.emplace_back(); }
    // The granules of [begin, begin + bytes) take part. `owner`: an entry, or entry_master.
    void watch(const char* name, void* begin, size_t bytes, Access access, int owner = -1);

    [[nodiscard]] size_t granules() const { return granules_.size(); }
    // A granule and the bytes in it, by address. Panics where it takes no part.
    [[nodiscard]] Store locate(const void* word, size_t bytes, uint64_t value) const;
    [[nodiscard]] Access access(uint32_t granule) const { return granules_[granule].access; }
    [[nodiscard]] int owner(uint32_t granule) const { return granules_[granule].owner; }
    [[nodiscard]] std::string name(uint32_t granule) const;

    // What the segment holds now, taken as the beginning of everything.
    [[nodiscard]] Contents read();
    // Makes the segment what a process sees that has `buffers` on top of `contents`.
    void show(const Contents& contents, const StoreBuffer& buffer);
    // One store more that the process which is shown sees.
    void show(const Store& store);
    // Plain stores since show(): what differs, in the order of the places.
    [[nodiscard]] StoreBuffer collect();
    // What was stored since read() between the granules that take part: the name of the granule
    // before that place. Empty: nothing.
    [[nodiscard]] std::string find_stray_store() const;

    static void apply(Contents& contents, const Store& store) {
        uint64_t& word = contents[store.granule];
        word = (word & ~store.mask) | (store.value & store.mask);
    }

private:
    struct Granule {
        std::byte* where;
        std::string name;
        Access access;
        int owner;
    };

    struct Mapping {
        const std::byte* lowest = nullptr;
        std::vector<uint16_t> at{};        // granule number + 1, by distance from the lowest
        std::vector<uint64_t> beginning{}; // what was there at read(), by the same distance
    };

    [[nodiscard]] uint32_t find(const void* address) const;

    std::vector<Granule> granules_;
    std::vector<std::byte*> where_;
    std::vector<Mapping> mappings_;
    Contents shown_{};
};

} // namespace chatserv::model
