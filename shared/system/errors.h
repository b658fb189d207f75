// Errors of system calls as exceptions: for what a process cannot start, or go on, without.
//
// All of them throw std::system_error in the generic category, whose what() is `what`, a colon and
// the error's text (strerror(3)).
#pragma once

#include <cerrno>
#include <system_error>

namespace chatserv {

// `error`: an errno. `what`: the call that failed, or what it was for.
[[noreturn]] inline void throw_error(int error, const char* what) {
    throw std::system_error(error, std::generic_category(), what);
}

// To be called right after the system call that failed, while errno is its own.
[[noreturn]] inline void throw_errno(const char* what) {
    throw_error(errno, what);
}

// Throws unless `error` is 0, as calls that return an errno say when they succeed.
inline void require(int error, const char* what) {
    if (error != 0)
        throw_error(error, what);
}

} // namespace chatserv
