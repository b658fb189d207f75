#include "tests/fuzz/refusal.h"

#include "shared/panic.h"

namespace chatserv {

// Stands in for shared/panic.cpp.
void panic(const char* what) {
    throw fuzz::Refusal{what};
}

} // namespace chatserv
