#include "tests/harness/seed.h"

#include <cstdlib>
#include <iostream>
#include <random>

namespace chatserv::test {

std::uint64_t base_seed() {
    static const std::uint64_t seed = [] {
        std::random_device device;
        const std::uint64_t chosen = number_from_environment("CHATSERV_TEST_SEED", device());
        std::cout << "to repeat this run: CHATSERV_TEST_SEED=" << chosen << std::endl;
        return chosen;
    }();
    return seed;
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

} // namespace chatserv::test
