#include "tests/model/memory.h"

#include "shared/system/panic.h"

#include <algorithm>
#include <cstring>

namespace chatserv::model {

namespace {

constexpr size_t granule_bytes = 8;

uint64_t all_bits(uint64_t bytes) {
    return bytes == granule_bytes ? ~0ULL : (1ULL << 8 * bytes) - 1;
}

// The granule as a number, whose low bits are the first bytes: layout.h knows no other machines.
uint64_t get(const std::byte* where) {
    uint64_t value = 0;
    std::memcpy(&value, where, sizeof value);
    return value;
}

void put(std::byte* where, uint64_t value) {
    std::memcpy(where, &value, sizeof value);
}

} // namespace

void StoreBuffer::push(const Store& store) {
    invariant(count < stores.size(), "a simulated store buffer is too small");
    stores[count++] = store;
    ++recent;
}

void StoreBuffer::drop_front(size_t number) {
    std::copy(stores.begin() + static_cast<ptrdiff_t>(number),
        stores.begin() + static_cast<ptrdiff_t>(count), stores.begin());
    count -= number;
    recent = std::min(recent, count);
}

// The areas of a mapping are to be watched from the lowest to the highest address.
void Memory::watch(const char* name, void* begin, size_t bytes, Access access, int owner) {
    auto* const address = static_cast<std::byte*>(begin);
    std::byte* at = address - reinterpret_cast<uintptr_t>(begin) % granule_bytes;
    Mapping& mapping = mappings_.back();
    if (mapping.lowest == nullptr)
        mapping.lowest = at;
    for (; at < address + bytes; at += granule_bytes) {
        const auto distance = static_cast<size_t>(at - mapping.lowest) / granule_bytes;
        invariant(
            at >= mapping.lowest && distance >= mapping.at.size(), "watched memory out of order");
        invariant(granules_.size() < granules_max, "too much of the segment is watched");
        mapping.at.resize(distance + 1);
        granules_.push_back({at, name, access, owner});
        where_.push_back(at);
        mapping.at[distance] = static_cast<uint16_t>(granules_.size());
    }
}

uint32_t Memory::find(const void* address) const {
    for (const Mapping& mapping : mappings_) {
        const size_t place =
            static_cast<size_t>(static_cast<const std::byte*>(address) - mapping.lowest) /
            granule_bytes;
        if (place < mapping.at.size() && mapping.at[place] != 0)
            return mapping.at[place] - 1U;
    }
    panic("a word is touched that is not watched");
}

Store Memory::locate(const void* word, size_t bytes, uint64_t value) const {
    const uint64_t shift = reinterpret_cast<uintptr_t>(word) % granule_bytes * 8;
    const uint32_t granule = find(word);
    return {.mask = all_bits(bytes) << shift,
        .value = value << shift,
        .granule = granule,
        .quiet = access(granule) == Access::quiet || access(granule) == Access::own};
}

std::string Memory::name(uint32_t granule) const {
    return granules_[granule].name;
}

Memory::Contents Memory::read() {
    for (Mapping& mapping : mappings_) {
        mapping.beginning.resize(mapping.at.size());
        std::memcpy(
            mapping.beginning.data(), mapping.lowest, mapping.beginning.size() * granule_bytes);
    }
    Contents contents{};
    for (size_t i = 0; i < where_.size(); ++i)
        contents[i] = get(where_[i]);
    return contents;
}

void Memory::show(const Contents& contents, const StoreBuffer& buffer) {
    shown_ = contents;
    for (const Store& store : buffer.all())
        apply(shown_, store);
    for (size_t i = 0; i < where_.size(); ++i)
        put(where_[i], shown_[i]);
}

void Memory::show(const Store& store) {
    apply(shown_, store);
    // The bytes beside it may hold plain stores that were not collected yet.
    std::byte* const where = where_[store.granule];
    put(where, (get(where) & ~store.mask) | (store.value & store.mask));
}

std::string Memory::find_stray_store() const {
    for (const Mapping& mapping : mappings_) {
        uint32_t before = 0;
        for (size_t place = 0; place < mapping.at.size(); ++place) {
            if (mapping.at[place] != 0)
                before = mapping.at[place] - 1U;
            else if (get(mapping.lowest + place * granule_bytes) != mapping.beginning[place])
                return name(before);
        }
    }
    return {};
}

StoreBuffer Memory::collect() {
    StoreBuffer stores{};
    for (uint32_t i = 0; i < where_.size(); ++i) {
        const uint64_t now = get(where_[i]);
        if (now == shown_[i])
            continue;
        uint64_t mask = 0;
        for (int shift = 0; shift < 64; shift += 8)
            if (((now ^ shown_[i]) >> shift & 0xff) != 0)
                mask |= 0xffULL << shift;
        stores.push({.mask = mask, .value = now, .granule = i, .quiet = 1});
        shown_[i] = now;
    }
    return stores;
}

} // namespace chatserv::model
