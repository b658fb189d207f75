// Owned file descriptors, and the descriptor calls whose modern forms are not everywhere.
//
// Every descriptor that the project opens is close-on-exec and, if a process waits for it,
// non-blocking. Not every system can set this in the call that opens a descriptor, so a second call
// sets it: chatserv's processes have one thread each, so no fork comes in between. Errors are
// thrown as std::system_error.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace chatserv {

// Owns one descriptor and closes it. A plain `int` in an interface is a borrowed descriptor.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        UniqueFd(std::move(other)).swap(*this);
        return *this;
    }
    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
    // Gives the descriptor away without closing it.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void reset() noexcept;
    void swap(UniqueFd& other) noexcept { std::swap(fd_, other.fd_); }

private:
    int fd_ = -1;
};

struct FdPair {
    UniqueFd first;  // pipe: the reading end
    UniqueFd second; // pipe: the writing end
};

// fcntl(2) F_SETFD, F_SETFL.
void set_close_on_exec(int fd, bool on);
void set_nonblocking(int fd);

// pipe(2), both ends close-on-exec and non-blocking.
[[nodiscard]] FdPair make_pipe();
[[nodiscard]] std::vector<FdPair> make_pipes(std::size_t count);

// socketpair(2) AF_UNIX, SOCK_STREAM, both ends close-on-exec and non-blocking.
[[nodiscard]] FdPair make_stream_pair();

} // namespace chatserv
