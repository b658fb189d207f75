// The seed of the random tests: new for every run, printed, and read from the environment to repeat
// a failure.
#pragma once

#include <cstdint>

namespace chatserv::test {

// CHATSERV_TEST_SEED if it is set, otherwise a new seed. Prints the seed the first time.
[[nodiscard]] std::uint64_t base_seed();

// A number that differs in about half of its bits for inputs that differ in one (SplitMix64's
// finalizer). Also used to derive many seeds from one.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
}

// A number from the environment, such as the number of scenarios of a long run.
[[nodiscard]] std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise);

} // namespace chatserv::test
