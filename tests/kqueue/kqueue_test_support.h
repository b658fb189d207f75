// Shared by the kqueue tests: a kqueue, descriptors to watch, and ways to wait for a state.
//
// Uses only POSIX and kqueue(2), because the contract tests run on a native kqueue too.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/types.h>
// After <sys/types.h>, because FreeBSD's <sys/event.h> needs it.
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#ifndef NOTE_NODATA
#define NOTE_NODATA 0 // only the Linux layer has this hint
#endif
#ifndef NOTE_EXITSTATUS
#define NOTE_EXITSTATUS 0 // macOS reports the status only with this flag
#endif

namespace kqueue_test {

using Events = std::vector<struct kevent>;

inline timespec milliseconds(long count) {
    return {.tv_sec = count / 1000, .tv_nsec = count % 1000 * 1'000'000};
}

// Longer than any expected event takes, even on a slow machine.
constexpr long long_time = 20'000; // ms

class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() { close(); }
    operator int() const { return fd_; }
    void close() {
        if (fd_ >= 0)
            ::close(std::exchange(fd_, -1));
    }

private:
    int fd_;
};

inline struct kevent make_change(std::uintptr_t ident, int filter, unsigned flags,
    unsigned fflags = 0, std::int64_t data = 0, void* udata = nullptr) {
    struct kevent change {};
    EV_SET(&change, ident, static_cast<short>(filter), static_cast<unsigned short>(flags), fflags,
        data, udata);
    return change;
}

class Queue {
public:
    Queue() : fd_(::kqueue()) { EXPECT_NE(fd_, -1); }
    operator int() const { return fd_; }
    void close() { fd_.close(); }

    // Returns 0 or the errno of the change.
    int change(const struct kevent& change) {
        return ::kevent(fd_, &change, 1, nullptr, 0, nullptr) == -1 ? errno : 0;
    }
    int change(std::uintptr_t ident, int filter, unsigned flags, unsigned fflags = 0,
        std::int64_t data = 0, void* udata = nullptr) {
        return change(make_change(ident, filter, flags, fflags, data, udata));
    }
    int change(const Fd& fd, int filter, unsigned flags, unsigned fflags = 0, std::int64_t data = 0,
        void* udata = nullptr) {
        return change(static_cast<std::uintptr_t>(int{fd}), filter, flags, fflags, data, udata);
    }

    // Returns the events of one kevent() call: at most `slots`, waiting at most `time_ms`.
    Events wait(long time_ms = long_time, int slots = 64) {
        Events events(static_cast<std::size_t>(slots));
        const timespec timeout = milliseconds(time_ms);
        const int count = ::kevent(fd_, nullptr, 0, events.data(), slots, &timeout);
        EXPECT_GE(count, 0) << "errno " << errno;
        events.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        return events;
    }
    Events poll(int slots = 64) { return wait(0, slots); }

    // Returns the only event. The test fails if there is none or more than one.
    struct kevent one(long time_ms = long_time) {
        const Events events = wait(time_ms);
        EXPECT_EQ(events.size(), 1U);
        struct kevent none {};
        return events.empty() ? none : events.front();
    }

private:
    Fd fd_;
};

struct Pair {
    Fd first, second;
};

inline Pair make_socket_pair(int type = SOCK_STREAM) {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, type, 0, fds), 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

// `first` is the reading end.
inline Pair make_pipe() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::pipe(fds), 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

class Listener {
public:
    Listener() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address_;
        auto* address = reinterpret_cast<sockaddr*>(&address_);
        EXPECT_EQ(::bind(fd_, address, length), 0);
        EXPECT_EQ(::listen(fd_, 16), 0);
        EXPECT_EQ(::getsockname(fd_, address, &length), 0);
    }
    const Fd& fd() const { return fd_; }
    Fd connect() const {
        Fd client(::socket(AF_INET, SOCK_STREAM, 0));
        connect(client);
        return client;
    }
    void connect(const Fd& client) const {
        EXPECT_EQ(
            ::connect(client, reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
    }
    Fd accept() const { return Fd(::accept(fd_, nullptr, nullptr)); }

private:
    Fd fd_;
    sockaddr_in address_{};
};

inline Pair make_tcp_pair() {
    const Listener listener;
    Fd client = listener.connect();
    return {listener.accept(), std::move(client)};
}

inline void send(const Fd& fd, const char* text) {
    const std::size_t length = std::char_traits<char>::length(text);
    EXPECT_EQ(::write(fd, text, length), static_cast<ssize_t>(length));
}

// Writes to a descriptor until its buffer takes no more bytes.
inline void fill(const Fd& fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    static const std::array<char, 4096> block{};
    while (::write(fd, block.data(), block.size()) > 0) {
    }
    while (::write(fd, block.data(), 1) > 0) {
    }
    ::fcntl(fd, F_SETFL, flags);
}

inline void drain(const Fd& fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    std::array<char, 65536> block;
    while (::read(fd, block.data(), block.size()) > 0) {
    }
    ::fcntl(fd, F_SETFL, flags);
}

// A directory for one test, removed with its contents.
class TemporaryDirectory {
public:
    TemporaryDirectory() { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::string operator/(const char* name) const { return path_ + "/" + name; }

private:
    std::string path_ = "/tmp/kqueue-contract-XXXXXX";
};

inline const struct kevent* find(const Events& events, std::uintptr_t ident, int filter) {
    for (const struct kevent& event : events) {
        if (event.ident == ident && event.filter == filter)
            return &event;
    }
    return nullptr;
}

inline const struct kevent* find(const Events& events, const Fd& fd, int filter) {
    return find(events, static_cast<std::uintptr_t>(int{fd}), filter);
}

// A child process that runs `work` and exits with the status that `work` returns.
class Child {
public:
    explicit Child(const std::function<int()>& work) : pid_(::fork()) {
        if (pid_ == 0)
            ::_exit(work());
        EXPECT_GT(pid_, 0);
    }
    ~Child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            join();
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    std::uintptr_t ident() const { return static_cast<std::uintptr_t>(pid_); }
    // Returns the status as wait(2) gives it.
    int join() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) == -1 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }
    // Waits until the child is a zombie, and does not reap it.
    void wait_for_exit() const {
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) == -1 &&
               errno == EINTR) {
        }
    }

private:
    pid_t pid_;
};

// Another process that holds a copy of every descriptor that is open when it is made. For each
// number that it reads from its pipe, it writes a byte to its own descriptor of that number.
class CopyHolder {
public:
    CopyHolder() : orders_(make_pipe()), answers_(make_pipe()), child_([this] { return serve(); }) {
        orders_.first.close();
        answers_.second.close();
    }
    ~CopyHolder() { orders_.second.close(); }

    void write_byte_to(int fd) {
        EXPECT_EQ(::write(orders_.second, &fd, sizeof fd), static_cast<ssize_t>(sizeof fd));
        char done = 0;
        EXPECT_EQ(::read(answers_.first, &done, 1), 1);
    }

private:
    int serve() {
        orders_.second.close();
        answers_.first.close();
        int fd = -1;
        while (::read(orders_.first, &fd, sizeof fd) == static_cast<ssize_t>(sizeof fd)) {
            if (::write(fd, "x", 1) != 1 || ::write(answers_.second, "d", 1) != 1)
                return 1;
        }
        return 0;
    }

    Pair orders_, answers_;
    Child child_;
};

// Processor time that this process has used, in seconds.
inline double processor_time() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

} // namespace kqueue_test
