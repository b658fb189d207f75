// One inotify(7) instance, with descriptors in place of paths.
//
// A file is named through /proc by a descriptor that is open on it. So it is found even if it was
// renamed or has no name left. Functions that return int return 0 or an errno: EACCES if this
// process may not read the file, EINVAL if there is no /proc, ENOMEM if there are too many watches.
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

    // Watches a file, or changes the events its watch asks for. Sets `number` to inotify's watch
    // descriptor.
    [[nodiscard]] int watch(int fd, std::uint32_t interest, int& number);
    // Watches the parent of the directory `fd`.
    [[nodiscard]] int watch_parent(int fd, std::uint32_t interest, int& number);
    void end_watch(int number);

    // Calls f(event, named) for each pending event. `named` is true if the event is about a name in
    // the watched directory.
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
                break; // another event would have fitted, so none is left
        }
    }

private:
    static constexpr std::size_t buffer_bytes = 16'384;
    static constexpr std::size_t event_bytes_max = sizeof(inotify_event) + 256; // longest name
    static constexpr int reads_max = 1'024; // epoll reports again that there is more to read

    int watch_path(int fd, const char* suffix, std::uint32_t interest, int& number);

    Descriptor fd_;
};

} // namespace kq
