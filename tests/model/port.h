// What the substitutes for the product's headers (overrides/) ask of the simulator.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chatserv::model {

// `word` is 1, 4 or 8 bytes long. Outside simulated processes these touch the memory at once.
[[nodiscard]] uint64_t load(const void* word, size_t bytes);
void store(void* word, size_t bytes, uint64_t value);
uint64_t exchange(void* word, size_t bytes, uint64_t value);
[[nodiscard]] bool replace_if(void* word, size_t bytes, uint64_t expected, uint64_t desired);
void full_fence();

// accept(2): the descriptor of the next connection in the masters' table, in the lowest free place;
// -1 where none waits.
[[nodiscard]] int accept_connection();

} // namespace chatserv::model
