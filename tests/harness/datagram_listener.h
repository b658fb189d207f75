// A datagram socket with a name: that of a service manager ($NOTIFY_SOCKET, sd_notify(3)), or of
// syslogd(8).
#pragma once

#include "shared/system/fd.h"
#include "tests/harness/temporary_directory.h"

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

namespace chatserv::test {

class DatagramListener {
public:
    DatagramListener() { begin(); }

    [[nodiscard]] const std::string& path() const { return path_; }

    // Whoever listens there ends, and begins again.
    void end() {
        socket_.reset();
        ::unlink(path_.c_str());
    }
    void begin() {
        socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                static_cast<socklen_t>(sizeof address)) == -1)
            throw std::runtime_error("cannot bind " + path_);
    }

    struct Heard {
        std::string text;      // "" if there is no message
        UniqueFd descriptor{}; // that came with it
    };
    // The next message. Does not wait.
    [[nodiscard]] Heard hear() const {
        std::array<char, 4096> text{};
        iovec piece{text.data(), text.size()};
        union {
            cmsghdr alignment;
            char bytes[CMSG_SPACE(sizeof(int))];
        } control{};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = static_cast<char*>(control.bytes);
        message.msg_controllen = sizeof control.bytes;
        const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
        Heard heard{.text = {text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)}};
        if (const cmsghdr* const rights = size < 0 ? nullptr : CMSG_FIRSTHDR(&message)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
            heard.descriptor = UniqueFd(fd);
            set_close_on_exec(fd, true);
        }
        return heard;
    }

private:
    TemporaryDirectory folder_;
    const std::string path_ = folder_.path().string() + "/socket";
    UniqueFd socket_{};
};

} // namespace chatserv::test
