#include "tests/fuzz/refusal.h"

#include "shared/system/panic.h"

namespace chatserv {

// Stands in for shared/system/panic.cpp.
void panic(const char* what) {
    throw fuzz::Refusal{what};
}

} // namespace chatserv
