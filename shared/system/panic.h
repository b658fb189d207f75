// The end of a process that found one of its own invariants broken.
//
// Only our own faults are a reason to panic: faults of a client, the kernel or another process are
// errors to handle. A worker that panics is recovered like one that was killed.
#pragma once

namespace chatserv {

// Writes one line to standard error without waiting for its reader, and aborts (abort(3)).
[[noreturn]] void panic(const char* what);

// Makes an uncaught exception end in panic(). The C++ library's own message would block if standard
// error is not read.
void panic_on_terminate();

constexpr void invariant(bool holds, const char* what) {
    if (!holds) [[unlikely]]
        panic(what);
}

} // namespace chatserv
