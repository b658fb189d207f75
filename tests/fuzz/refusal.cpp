#include "tests/fuzz/refusal.h"

#include "shared/system/panic.h"
#include "worker/clients/client_events.h"

namespace chatserv {

// Stands in for shared/system/panic.cpp.
void panic(const char* what) {
    throw fuzz::Refusal{what};
}

// Stands in for worker/clients/client_events.cpp.
void events::line_cut(const Client& /*client*/) {}

} // namespace chatserv
