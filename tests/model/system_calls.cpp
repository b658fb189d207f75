// The product's own system calls. The linker leads them here (--wrap); those on descriptors of the
// model are the simulated kernel's, and the others, before the processes begin, are the system's.
//
// A call that changes something for others is a step. One that only looks at a descriptor of the
// process's own is none.
#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"
#include "tests/model/simulator.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utility>

namespace chatserv::model {

namespace {

bool is_simulated(int fd) {
    return fd >> 24 != 0 && fd > 0;
}

uint32_t number_of_kind(Descriptor kind, int fd) {
    invariant(is(kind, fd) && active() != nullptr, "a system call on an unexpected descriptor");
    return number_in(fd);
}

KernelState& called(const char* what) {
    active()->call(what);
    return active()->state().kernel;
}

ConnectionState& called_alone(const char* what, int fd) {
    const uint32_t number = number_of_kind(Descriptor::connection, fd);
    active()->call_alone(what);
    return active()->state().kernel.connected.at(number);
}

// The connection that is open there in the masters' table, + 1; 0: none.
uint8_t& at_place(int fd) {
    return active()->state().kernel.table.at(number_of_kind(Descriptor::place, fd));
}

int closed_descriptor() {
    errno = EBADF;
    return -1;
}

int close_simulated(int fd) {
    if (active() == nullptr || !is(Descriptor::place, fd))
        return closed_descriptor();
    active()->call("closes a connection");
    return std::exchange(at_place(fd), 0) != 0 ? 0 : closed_descriptor();
}

int stat_simulated(int fd, struct stat* status) {
    const uint8_t connection = at_place(fd);
    active()->note(connection);
    if (connection == 0)
        return closed_descriptor();
    *status = {};
    status->st_mode = S_IFSOCK;
    return 0;
}

int give_address(uint16_t port, sockaddr* address, socklen_t* size) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(address, &v4, std::min<size_t>(*size, sizeof v4));
    *size = sizeof v4;
    return 0;
}

} // namespace

} // namespace chatserv::model

namespace chatserv {

// Declared in shared/system/kernel_account.h: this kernel counts without end, from zero.
const uint64_t byte_count_mask = ~0ULL;

std::optional<ByteCounts> byte_counts(int /*socket*/) {
    return ByteCounts{.written = 0, .consumed = 0};
}

} // namespace chatserv

extern "C" {
ssize_t __wrap_read(int descriptor, void* bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void* bytes, size_t size);
ssize_t __wrap_recv(int descriptor, void* bytes, size_t size, int flags);
ssize_t __wrap_send(int descriptor, const void* bytes, size_t size, int flags);
ssize_t __wrap_sendmsg(int descriptor, const msghdr* message, int flags);
int __wrap_shutdown(int descriptor, int how);
int __wrap_getsockname(int descriptor, sockaddr* address, socklen_t* size);
int __wrap_getpeername(int descriptor, sockaddr* address, socklen_t* size);
int __wrap_getsockopt(int descriptor, int level, int option, void* value, socklen_t* size);
int __wrap_close(int descriptor);
int __real_close(int descriptor);
int __wrap_fstat(int descriptor, struct stat* status);
int __real_fstat(int descriptor, struct stat* status);
int __wrap_fstat64(int descriptor, struct stat* status);
int __real_fstat64(int descriptor, struct stat* status);
int __wrap_fcntl(int descriptor, int command, ...);
int __real_fcntl(int descriptor, int command, ...);
int __wrap_fcntl64(int descriptor, int command, ...);
int __real_fcntl64(int descriptor, int command, ...);
}

using namespace chatserv::model;

// A doorbell's, which is emptied.
ssize_t __wrap_read(int descriptor, void* bytes, size_t size) {
    const uint32_t entry = number_of_kind(Descriptor::pipe_reading, descriptor);
    const uint8_t rung = std::exchange(called("empties its pipe").rung.at(entry), 0);
    std::memset(bytes, rung, std::min<size_t>(size, rung));
    return rung != 0 ? 1 : -1;
}

// A doorbell's, which is rung.
ssize_t __wrap_write(int descriptor, const void*, size_t size) {
    const uint32_t entry = number_of_kind(Descriptor::pipe_writing, descriptor);
    static constexpr std::array what{"rings A", "rings B", "rings R, or the bridge"};
    called(what.at(entry)).rung.at(entry) = 1;
    return static_cast<ssize_t>(size);
}

// One message of a client's, or its end of file.
ssize_t __wrap_recv(int descriptor, void* bytes, size_t size, int) {
    ConnectionState& connection = called_alone("reads from its client", descriptor);
    chatserv::invariant(connection.shut == 0, "a connection was read that the server had closed");
    active()->note(connection.sent < connection.messages ? 1 : 0);
    if (connection.sent == connection.messages)
        return 0;
    const auto text = message(number_in(descriptor), connection.sent);
    chatserv::invariant(size >= text.size(), "a message is read in pieces");
    std::memcpy(bytes, text.data(), text.size());
    active()->call_wrote();
    ++connection.sent;
    return static_cast<ssize_t>(text.size());
}

// To a client, which gets as much as its socket takes.
ssize_t __wrap_sendmsg(int descriptor, const msghdr* message, int) {
    ConnectionState& connection = called_alone("writes to its client", descriptor);
    const uint64_t limit = active()->state().kernel.write_limit;
    uint64_t left = limit;
    for (size_t i = 0; i < message->msg_iovlen; ++i) {
        const iovec& piece = message->msg_iov[i];
        const auto* const text = static_cast<const char*>(piece.iov_base);
        const auto size = static_cast<uint32_t>(std::min<uint64_t>(left, piece.iov_len));
        for (uint64_t k =
                 connection.written < connection.base ? connection.base - connection.written : 0;
             k < size; ++k)
            connection.received.at(connection.written + k - connection.base) = text[k];
        connection.written += size;
        left -= size;
    }
    active()->note(limit - left);
    return static_cast<ssize_t>(limit - left);
}

ssize_t __wrap_send(int descriptor, const void* bytes, size_t size, int flags) {
    iovec piece{const_cast<void*>(bytes), size};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    return __wrap_sendmsg(descriptor, &message, flags);
}

int __wrap_shutdown(int descriptor, int) {
    active()->call("shuts a connection down");
    const uint8_t connection = at_place(descriptor);
    if (connection == 0)
        return closed_descriptor();
    active()->state().kernel.connected.at(connection - 1U).shut = 1;
    return 0;
}

int __wrap_getsockname(int descriptor, sockaddr* address, socklen_t* size) {
    return at_place(descriptor) == 0 ? closed_descriptor()
                                     : give_address(listening_port, address, size);
}

int __wrap_getpeername(int descriptor, sockaddr* address, socklen_t* size) {
    const uint8_t connection = at_place(descriptor);
    if (connection == 0)
        return closed_descriptor();
    active()->note(connection);
    return give_address(port_of(connection - 1U), address, size);
}

int __wrap_getsockopt(int descriptor, int, int option, void* value, socklen_t*) {
    if (at_place(descriptor) == 0)
        return closed_descriptor();
    const int result = option == SO_TYPE ? SOCK_STREAM : 0;
    std::memcpy(value, &result, sizeof result);
    return 0;
}

int __wrap_close(int descriptor) {
    return is_simulated(descriptor) ? close_simulated(descriptor) : __real_close(descriptor);
}

int __wrap_fstat(int descriptor, struct stat* status) {
    return is_simulated(descriptor) ? stat_simulated(descriptor, status)
                                    : __real_fstat(descriptor, status);
}

int __wrap_fstat64(int descriptor, struct stat* status) {
    return is_simulated(descriptor) ? stat_simulated(descriptor, status)
                                    : __real_fstat64(descriptor, status);
}

// The flags of a connection, or whether a rendezvous is open: it always is.
int __wrap_fcntl(int descriptor, int command, ...) {
    if (is_simulated(descriptor))
        return is(Descriptor::place, descriptor) && at_place(descriptor) == 0 ? closed_descriptor()
                                                                              : 0;
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return __real_fcntl(descriptor, command, argument);
}

int __wrap_fcntl64(int descriptor, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return is_simulated(descriptor) ? __wrap_fcntl(descriptor, command)
                                    : __real_fcntl64(descriptor, command, argument);
}
