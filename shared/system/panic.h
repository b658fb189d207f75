// The end of a process that found one of its own invariants broken.
//
// Only for what can be nobody's doing but ours: whatever a client, the kernel or another process
// does wrong is an error to handle. A worker that panics is recovered like one that was killed.
#pragma once

namespace chatserv {

// Writes one line to standard error, without waiting for its reader, and aborts (abort(3)).
[[noreturn]] void panic(const char* what);

// Has an exception that nothing catches end in panic(): the C++ library's own words would wait for
// whoever reads standard error.
void panic_on_terminate();

constexpr void invariant(bool holds, const char* what) {
    if (!holds) [[unlikely]]
        panic(what);
}

} // namespace chatserv
