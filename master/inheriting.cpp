#include "master/inheriting.h"

#include "master/clients/inheritance.h"
#include "master/in_force.h"
#include "master/ledger/holdings.h"
#include "master/ledger/master_point.h"
#include "master/upgrade/become_program.h"
#include "master/upgrade/upgrading.h"
#include "master/workers/seat_book.h"
#include "shared/system/logging.h"
#include "shared/system/open_descriptors.h"

#include <array>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

bool is_open(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0;
}

// A master closes the control socket last of all, and opens nothing after that. One that died
// between that and its last word leaves a number that is no file's.
void take_over_control_socket(std::unique_ptr<ControlSocket>& socket, const Ledger& ledger) {
    if (!socket)
        return;
    socket->adopt_noted(Holdings(ledger));
    if (!is_open(socket->fd()))
        socket.reset();
}

// Of every listen socket that is noted, in force or not: a newcomer can have come to each.
std::vector<ListenedAt> noted_places(const Ledger& ledger) {
    std::vector<ListenedAt> places;
    for (const HoldingRecord& record : ledger.holdings()) {
        Address address;
        socklen_t size = Address::capacity();
        if (record.kind == static_cast<uint32_t>(Holding::listener) &&
            ::getsockname(number_of(record.fd), address.data(), &size) == 0)
            places.push_back({address, role_of(record.role), record.proxied != 0});
    }
    return places;
}

} // namespace

// The addresses first: a newcomer can have come to a listen socket that is closed next.
std::vector<Newcomer> inherit_descriptors(Preparation& prepared, const Legacy& legacy) {
    std::vector<ListenedAt> listening = noted_places(prepared.ledger);
    for (const Listener& listener : prepared.listeners)
        listening.push_back({listener.address(), listener.role(), listener.proxied()});
    put_books_in_order(prepared.ledger, UserTable(prepared.segment));
    put_seats_in_order(prepared.ledger);
    forget_closed_former(prepared.ledger);
    adopt_what_is_in_force(prepared, legacy.listeners);
    take_over_control_socket(prepared.control_socket, prepared.ledger);
    const std::array kept{log_descriptor()};
    LeftBehind left =
        find_left_behind(open_descriptors(STDERR_FILENO + 1, descriptor_numbers_end()),
            prepared.ledger, kept, listening);
    master_point(MasterPoint::sweep_begun); // MW14
    for (const int stranger : left.strangers)
        ::close(stranger);
    master_point(MasterPoint::swept);
    if (UpgradeBook(prepared.ledger).has_handed_over())
        keep_descriptors_from_children();
    return std::move(left.newcomers);
}

} // namespace chatserv
