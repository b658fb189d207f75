// A listen socket.
#pragma once

#include "master/config/address.h"
#include "master/config/listen_address.h"
#include "shared/segment/role.h"
#include "shared/system/fd.h"

#include <string>
#include <system_error>
#include <utility>

namespace chatserv {

// Which connections come to a socket of an IPv6 address: IPV6_V6ONLY, RFC 3493, 5.3.
enum class Families { own, ipv4_too };

// The system has no sockets of both families. OpenBSD is such a system.
struct NoDualStack : std::system_error {
    using std::system_error::system_error;
};

class Listener {
public:
    // `families` concerns [::] only. Throws std::system_error with the errno of the call that
    // failed, NoDualStack where there is IPv6 but no socket for both families.
    explicit Listener(const Address& address, Families families = Families::own);

    // A UNIX socket at the address's path. Its file is made for those whom `access` names, before
    // the first of them can connect; a socket there at which nobody listens any more is replaced.
    // The file is removed with this object. Throws std::system_error: EADDRINUSE if a server
    // listens there, EISDIR or ENOTSOCK if another file is there, EPERM if this user cannot give
    // the file that group.
    Listener(const Address& address, const UnixAccess& access);
    ~Listener() { close(); }
    Listener(Listener&& other) noexcept;
    Listener& operator=(Listener&& other) noexcept;

    // Who has opened the socket.
    enum class Origin {
        opened,      // the server itself
        handed_over, // the service manager, which wants the server to listen there
        kept,        // a server before this one; the service manager has kept it meanwhile
    };

    // One that another program of this process had opened. Throws std::system_error if it is no
    // listen socket.
    explicit Listener(UniqueFd socket, Origin origin = Origin::opened);

    // One that another process has opened: a listening TCP socket. Gives it the options that the
    // server's own sockets have; they may be shared with the other process. Throws
    // std::system_error.
    [[nodiscard]] static Listener take(UniqueFd socket, Origin origin);

    [[nodiscard]] int fd() const { return socket_.get(); }
    // With the port that the system chose, where 0 was asked for.
    [[nodiscard]] const Address& address() const { return address_; }
    // The address as --listen takes it, with the role of the clients unless they talk, and with
    // `proxy:` if they are proxied.
    [[nodiscard]] std::string door() const;
    // The address as the log says it; [::] with the families that it stands for.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] Families families() const { return families_; }
    [[nodiscard]] Origin origin() const { return origin_; }
    // The service manager decides that the server listens there, and the options do not.
    [[nodiscard]] bool is_handed_over() const { return origin_ == Origin::handed_over; }
    // Whether this is the socket that is asked for by an address and by `families`, which matter
    // for [::] alone.
    [[nodiscard]] bool listens_at(const Address& address, Families families) const;

    // Which of the ledger's listeners it is (Holding::listener), and the value of --listen, as
    // ListenAddress::text() has it, that it serves; empty where no value asks for a socket that was
    // handed over.
    [[nodiscard]] uint32_t number() const { return number_; }
    [[nodiscard]] const std::string& serves() const { return serves_; }
    void note_number(uint32_t number) { number_ = number; }
    // What the clients that come to it may do.
    [[nodiscard]] Role role() const { return role_; }
    // Whether they are proxies, which say whose their connections are.
    [[nodiscard]] bool proxied() const { return proxied_; }
    void note_serves(std::string listen, Role role, bool proxied) {
        serves_ = std::move(listen);
        role_ = role;
        proxied_ = proxied;
    }
    // The role that the socket unit gives a socket that was handed over: the role of its clients
    // wherever no value of --listen asks for its address.
    [[nodiscard]] Role handed_role() const { return handed_role_; }
    void note_handed_role(Role role) { handed_role_ = role_ = role; }

    // Forgets the descriptor without closing it: another process has closed it.
    void abandon() {
        (void)socket_.release();
        owns_file_ = false;
    }

    // accept(2): the descriptor of the next connection; its flags are as the system gives them. -1
    // where there is none: errno is then EAGAIN where no connection waits, or says why the call
    // failed. A connection that was gone before it was accepted is passed over.
    //
    // The peer's address is not asked for: the kernel closes a connection whose address it cannot
    // copy, as in a process that is killed at that moment.
    [[nodiscard]] int accept() const;

private:
    void close();

    UniqueFd socket_;
    Address address_;
    Families families_;
    Origin origin_ = Origin::opened;
    bool owns_file_ = false; // a UNIX socket that this server has opened
    uint32_t number_ = 0;
    std::string serves_{};
    Role role_ = Role::talk;
    bool proxied_ = false;
    Role handed_role_ = Role::talk;
};

} // namespace chatserv
