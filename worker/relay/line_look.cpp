#include "worker/relay/line_look.h"

#include "shared/system/peek.h"

#include <cerrno>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace chatserv {

// SO_RCVBUF would be held to a system-wide limit, which is too small, and would end the growth of
// the buffer by itself. A low-water mark makes Linux enlarge the buffer to twice as much (tcp(7),
// net.ipv4.tcp_rmem), and the buffer stays so when the mark is low again. Other systems hold the
// mark to the size of the buffer.
void make_room_for_lines(int socket) {
    constexpr int many = 2 * 1024 * 1024;
    constexpr int one = 1;
    (void)::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &many, sizeof many);
    (void)::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
}

size_t unread_bytes(int socket) {
    int bytes = 0;
    return ::ioctl(socket, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<size_t>(bytes) : 0;
}

LineLook look_for_lines(
    int socket, std::span<char> place, size_t kept, const Lines& lines, bool at_end) {
    using Kind = LineLook::Kind;
    const std::span<char> room = place.subspan(kept);
    ssize_t got = peek(socket, room);
    if (got == 0)
        return {.kind = Kind::end_of_file};
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK
                   ? LineLook{.kind = Kind::nothing}
                   : LineLook{.kind = Kind::failed, .error = errno};
    const auto shown = [&] { return place.first(kept + static_cast<size_t>(got)); };
    bool is_all = at_end && shown().size() < place.size();
    if (!lines.first(shown(), is_all) && unread_bytes(socket) > static_cast<size_t>(got)) {
        // More has come, or the socket does not show what follows urgent data.
        const ssize_t before = got;
        got = peek(socket, room);
        if (got < before)
            return {.kind = Kind::nothing}; // no other process reads it: an error tells why
        is_all = got == before;
    }
    return {.kind = lines.first(shown(), is_all) ? Kind::lines : Kind::part,
        .seen = shown(),
        .is_all = is_all};
}

} // namespace chatserv
