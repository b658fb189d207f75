#include "tests/model/port.h"

#include "master/clients/client_events.h"
#include "shared/system/panic.h"
#include "tests/model/simulator.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace chatserv::model {

uint64_t load(const void* word, size_t bytes) {
    if (active() != nullptr)
        return active()->load(word, bytes);
    uint64_t value = 0;
    std::memcpy(&value, word, bytes);
    return value;
}

void store(void* word, size_t bytes, uint64_t value) {
    if (active() != nullptr)
        active()->store(word, bytes, value);
    else
        std::memcpy(word, &value, bytes);
}

uint64_t exchange(void* word, size_t bytes, uint64_t value) {
    if (active() != nullptr)
        return active()->exchange(word, bytes, value);
    const uint64_t before = load(word, bytes);
    store(word, bytes, value);
    return before;
}

bool replace_if(void* word, size_t bytes, uint64_t expected, uint64_t desired) {
    if (active() != nullptr)
        return active()->replace_if(word, bytes, expected, desired);
    if (load(word, bytes) != expected)
        return false;
    store(word, bytes, desired);
    return true;
}

void full_fence() {
    if (active() != nullptr)
        active()->full_fence();
}

} // namespace chatserv::model

namespace chatserv {

// Stands in for shared/system/panic.cpp: a process that panics is a finding.
void panic(const char* what) {
    if (model::Simulator* const simulator = model::active())
        simulator->fail(what);
    std::fprintf(stderr, "the model is wrong: %s\n", what);
    std::abort();
}

namespace events {

// Stands in for master/clients/client_events.cpp. A master comes here only when it puts the books
// in order, and only where its predecessor has lost the connection of a client.
void left(ClientId /*client*/, const Departure& /*why*/, std::chrono::milliseconds /*idle*/) {
    panic("a client's connection was closed, and the books still have the client");
}

} // namespace events
} // namespace chatserv
