// A program whose masters die before they serve.
#include "master/master.h"

#include <cstdlib>

namespace chatserv::test {

// The linker leads the calls of Master::run() here.
[[noreturn]] MasterEnd die(Master* master) __asm__("__wrap__ZN8chatserv6Master3runEv");

MasterEnd die(Master* /*master*/) {
    std::abort();
}

} // namespace chatserv::test
