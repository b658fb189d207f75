// One inotify(7) instance: the system calls, in terms of descriptors in the place of paths.
//
// A file is named by a descriptor that is open on it, through /proc, and thus found though it was
// renamed or has lost its name. Functions that return int return 0 or an errno: EACCES for a file
// that must not be read, EINVAL where there is no /proc, ENOMEM where there are too many watches.
#pragma once

#include "descriptor.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/inotify.h>
#include <unistd.h>

namespace kq {

class Inotify {
public:
    // EMFILE, ENFILE or ENOMEM.
    [[nodiscard]] int open();
    [[nodiscard]] int descriptor() const { return fd_.get(); }

    // Watches a file, or changes what is asked of it; `number` is inotify's name for it.
    [[nodiscard]] int watch(int fd, std::uint32_t interest, int& number);
    // Watches the directory that the directory `fd` is in.
    [[nodiscard]] int watch_parent(int fd, std::uint32_t interest, int& number);
    void end_watch(int number);

    // Calls f(event, named) for all that has happened until now; `named` if the event is about a
    // name in the directory.
    template <class F>
    void read_events(F f) {
        alignas(inotify_event) std::array<char, buffer_bytes> buffer;
        for (int reads = 0; reads < reads_max; ++reads) {
            const ssize_t length = ::read(fd_.get(), buffer.data(), buffer.size());
            for (ssize_t at = 0; at < length;) {
                inotify_event event{};
                std::memcpy(&event, buffer.data() + at, sizeof event);
                at += static_cast<ssize_t>(sizeof event + event.len);
                f(event, event.len != 0);
            }
            if (length < static_cast<ssize_t>(buffer_bytes - event_bytes_max))
                break; // another would have had room
        }
    }

private:
    static constexpr std::size_t buffer_bytes = 16'384;
    static constexpr std::size_t event_bytes_max = sizeof(inotify_event) + 256; // longest name
    static constexpr int reads_max = 1'024; // the rest is read when epoll says so again

    int watch_path(int fd, const char* suffix, std::uint32_t interest, int& number);

    Descriptor fd_;
};

} // namespace kq
