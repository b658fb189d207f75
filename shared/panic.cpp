#include "shared/panic.h"

#include <cstdio>
#include <cstdlib>

namespace chatserv {

void panic(const char* what) {
    std::fprintf(stderr, "chatserv: panic: %s (this is a bug in chatserv)\n", what);
    std::abort();
}

} // namespace chatserv
