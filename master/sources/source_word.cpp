#include "master/sources/source_word.h"

#include "shared/ipc/passed_descriptors.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace chatserv {

namespace {

// Without a descriptor by send(2): a confined process may not call sendmsg(2), which can have an
// address (confinement_linux.cpp).
ssize_t send_once(int stream, const char* bytes, size_t size, int descriptor) {
    if (descriptor == -1)
        return ::send(stream, bytes, size, 0);
    iovec piece{const_cast<char*>(bytes), size};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    DescriptorRoom room{};
    attach_descriptors(message, room, {&descriptor, 1});
    return ::sendmsg(stream, &message, 0);
}

} // namespace

int say_word(int stream, SourceWord::Kind kind, std::string_view text, int descriptor) {
    SourceWord word{.kind = kind};
    text.copy(word.text, sizeof word.text - 1);
    const char* const bytes = reinterpret_cast<const char*>(&word);
    for (size_t sent = 0; sent < sizeof word;) {
        const ssize_t count =
            send_once(stream, bytes + sent, sizeof word - sent, sent == 0 ? descriptor : -1);
        if (count > 0) {
            sent += static_cast<size_t>(count);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
            pollfd room{.fd = stream, .events = POLLOUT, .revents = 0};
            (void)::poll(&room, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

std::optional<SourceWords::Heard> SourceWords::next(int stream) {
    while (!ended_) {
        msghdr message{};
        DescriptorRoom room{};
        const ssize_t got = receive_with_descriptors(
            stream, {bytes_ + filled_, sizeof bytes_ - filled_}, message, room);
        if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return std::nullopt;
        if (got <= 0)
            break;
        for (UniqueFd& taken : take_descriptors(message))
            if (!socket_) // one comes with a word; what else comes is closed here
                socket_ = std::move(taken);
        filled_ += static_cast<size_t>(got);
        if (filled_ < sizeof bytes_)
            continue;
        filled_ = 0;
        SourceWord word;
        std::memcpy(&word, bytes_, sizeof word);
        word.text[sizeof word.text - 1] = '\0';
        Heard heard{.kind = word.kind, .text = word.text, .socket = std::move(socket_)};
        const bool is_known =
            word.kind >= SourceWord::Kind::connected && word.kind <= SourceWord::Kind::dropped;
        const bool has_socket = static_cast<bool>(heard.socket);
        if (!is_known || has_socket != (word.kind == SourceWord::Kind::connected))
            break;
        heard.text = as_one_line(heard.text);
        return heard;
    }
    ended_ = true;
    return std::nullopt;
}

} // namespace chatserv
