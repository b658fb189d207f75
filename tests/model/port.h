// What the substitute for shared/segment/atomic_word.h asks of the simulator. `word` is 4 or 8
// bytes long. Outside simulated processes these touch the memory at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chatserv::model {

[[nodiscard]] uint64_t load(const void* word, size_t bytes);
void store(void* word, size_t bytes, uint64_t value);
uint64_t exchange(void* word, size_t bytes, uint64_t value);
[[nodiscard]] bool replace_if(void* word, size_t bytes, uint64_t expected, uint64_t desired);
void full_fence();

} // namespace chatserv::model
