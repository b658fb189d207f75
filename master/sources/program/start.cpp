#include "master/sources/program/start.h"

#include "master/config/address.h"
#include "master/config/source_address.h"
#include "master/sources/program/datagram_pump.h"
#include "master/sources/program/file_feed.h"
#include "master/sources/program/loopback_pair.h"
#include "master/sources/program/openings.h"
#include "master/sources/program/pump.h"
#include "master/sources/program/udp_opening.h"
#include "master/sources/source_word.h"
#include "shared/confinement/confinement.h"
#include "shared/system/log_sink.h"
#include "shared/system/panic.h"
#include "shared/system/process_title.h"
#include "shared/system/signals.h"
#include "shared/system/standard_streams.h"
#include "shared/system/whole_number.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <fmt/core.h>
#include <optional>
#include <poll.h>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv {

namespace {

using Kind = SourceAddress::Kind;

struct Orders {
    uid_t uid;
    gid_t gid;
    UniqueFd lifeline;
    SourceAddress source;
    AtEndOfInput at_end;
    std::string greeting;
    std::optional<FilePlace> place;
    Framing framing;
    uint64_t dropped;
};

std::optional<Orders> orders_of(std::span<char* const> arguments) {
    if (arguments.size() != 10)
        return std::nullopt;
    const auto uid = whole_number<uid_t>(arguments[1]);
    const auto gid = whole_number<gid_t>(arguments[2]);
    const auto lifeline = whole_number<int>(arguments[3]);
    const auto dropped = whole_number<uint64_t>(arguments[9]);
    if (!uid || !gid || !lifeline || !dropped || *lifeline < 3 || ::fcntl(*lifeline, F_GETFD) == -1)
        return std::nullopt;
    set_close_on_exec(*lifeline, true);
    const Place place{.text = "the source"};
    const Setting source{place, arguments[4]};
    return Orders{.uid = *uid,
        .gid = *gid,
        .lifeline = UniqueFd(*lifeline),
        .source = SourceAddress::parse(source),
        .at_end =
            std::string_view(arguments[5]) == "go-on" ? AtEndOfInput::go_on : AtEndOfInput::end,
        .greeting = arguments[6],
        .place = FilePlace::parse(arguments[7]),
        .framing = std::string_view(arguments[8]) == "line" ? Framing::line : Framing::none,
        .dropped = *dropped};
}

UniqueFd copy_of(int fd) {
    return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

// The descriptors of standard input and output, out of the way of what leave_descriptors_but()
// puts there. They stay as they are: other processes share them.
FdPair keep_standard_streams(const SourceAddress& source) {
    if (source.kind != Kind::standard)
        return {};
    return {.first = source.is_heard() ? copy_of(STDIN_FILENO) : UniqueFd(),
        .second = source.hears() ? copy_of(STDOUT_FILENO) : UniqueFd()};
}

void leave_all_but(std::initializer_list<const UniqueFd*> kept) {
    std::vector<int> numbers;
    for (const UniqueFd* const fd : kept)
        if (*fd)
            numbers.push_back(fd->get());
    std::ranges::sort(numbers);
    leave_descriptors_but(numbers);
}

// Waits for room where there is none. Returns 0 or an errno.
int write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put > 0) {
            bytes.remove_prefix(static_cast<size_t>(put));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
            if (::poll(&room, 1, connect_seconds_max * 1000) == 0)
                return ETIMEDOUT;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int fail(const Orders& orders, const std::string& why) {
    (void)say_word(orders.lifeline.get(), SourceWord::Kind::failed, why);
    return EX_UNAVAILABLE;
}

// Standard streams end for good, since nothing can make them again.
void say_end(const Orders& orders, int error) {
    const bool is_over = orders.source.kind == Kind::standard;
    (void)say_word(orders.lifeline.get(),
        is_over ? SourceWord::Kind::over : SourceWord::Kind::failed,
        error == 0 ? "end of file" : std::strerror(error));
}

// A serial line that is only sent to is not read: what comes from it is left to another program
// that reads the line. A peer that is only sent to is read, since it would be held back otherwise.
bool is_read(const SourceAddress& source) {
    return source.is_heard() || source.kind != Kind::serial;
}

// As open(2) takes it.
int access_to(const Orders& orders) {
    if (!is_read(orders.source))
        return O_WRONLY;
    return orders.source.hears() || !orders.greeting.empty() ? O_RDWR : O_RDONLY;
}

int pump(const Orders& orders, const FdPair& opened) {
    FdPair pair = make_loopback_pair();
    if (say_word(orders.lifeline.get(), SourceWord::Kind::connected, "", pair.first.get()) != 0)
        return EX_OK; // the server has ended
    pair.first.reset();
    (void)confine(Duty::source);
    const bool is_standard = orders.source.kind == Kind::standard;
    const int output = is_standard ? opened.second.get() : opened.first.get();
    const PumpEnds ends{.source_in = is_read(orders.source) ? opened.first.get() : -1,
        .source_out = orders.source.hears() ? output : -1,
        .relay = pair.second.get(),
        .lifeline = orders.lifeline.get()};
    bool is_said = false;
    const PumpEnd end = run_pump(ends, orders.at_end, [&](int error) {
        say_end(orders, error);
        is_said = true;
    });
    if (end.why == PumpEnd::Why::source && !is_said)
        say_end(orders, end.error);
    return EX_OK;
}

int pump_datagrams(const Orders& orders, const UniqueFd& socket) {
    FdPair pair = make_loopback_pair();
    if (say_word(orders.lifeline.get(), SourceWord::Kind::connected, "", pair.first.get()) != 0)
        return EX_OK;
    pair.first.reset();
    (void)confine(Duty::source);
    const bool hears = orders.source.hears();
    (void)run_datagram_pump(
        {.socket = socket.get(), .relay = pair.second.get(), .lifeline = orders.lifeline.get()},
        {.is_heard = orders.source.is_heard(),
            .hears = hears,
            .framing = orders.framing,
            .greeting = hears ? orders.greeting : "",
            .dropped = orders.dropped});
    return EX_OK;
}

// Ends the connection to the relay when all is with it. To close it with something unread would
// reset it, and could cost the others what is still under way.
void leave(int relay, int lifeline) {
    ::shutdown(relay, SHUT_WR);
    for (;;) {
        std::array<pollfd, 2> asked{{{.fd = relay, .events = POLLIN, .revents = 0},
            {.fd = lifeline, .events = POLLIN, .revents = 0}}};
        std::array<char, 256> notice{};
        if (::poll(asked.data(), asked.size(), -1) > 0 &&
            (asked[1].revents != 0 ||
                (asked[0].revents != 0 && ::read(relay, notice.data(), notice.size()) <= 0)))
            return;
    }
}

// With the server's rights to the end: the next file of that name is opened by the same rights as
// the first one. None of the bytes is looked at.
int follow(const Orders& orders) {
    FileFeed feed(orders.source.path, orders.place, orders.lifeline.get());
    FdPair pair = make_loopback_pair();
    if (say_word(orders.lifeline.get(), SourceWord::Kind::connected, feed.place().text(),
            pair.first.get()) != 0)
        return EX_OK;
    pair.first.reset();
    const std::string why = feed.run(pair.second.get());
    if (why.empty())
        return EX_OK;
    (void)fail(orders, why);
    leave(pair.second.get(), orders.lifeline.get());
    return EX_UNAVAILABLE;
}

// What needs the server's rights comes before they are given up; a name service and other machines
// come after that.
Opened open_source(const Orders& orders) {
    const SourceAddress& source = orders.source;
    Opened opened;
    std::optional<Address> own; // an address of this machine that is no name
    if (source.kind == Kind::udp && !source.hears())
        own = Address::parse(source.host_and_port());
    if (own)
        opened = receive_udp(*own);
    else if (source.kind == Kind::unix_socket)
        opened = connect_unix(source.path);
    else if (source.kind == Kind::serial)
        opened = open_serial(source.path, source.baud, access_to(orders));
    drop_privileges(orders.uid, orders.gid);
    if (source.kind == Kind::tcp)
        opened = connect_tcp(source.host, source.port);
    else if (source.kind == Kind::udp && source.hears())
        opened = send_udp(source.host, source.port);
    else if (source.kind == Kind::udp && !own)
        opened = receive_udp(source.host, source.port);
    return opened;
}

int serve_by(const Orders& orders) {
    const FdPair standard = keep_standard_streams(orders.source);
    leave_all_but({&orders.lifeline, &standard.first, &standard.second});
    if (orders.source.kind == Kind::file)
        return follow(orders);
    if (orders.source.kind == Kind::standard) {
        drop_privileges(orders.uid, orders.gid);
        return pump(orders, standard);
    }
    Opened opened = open_source(orders);
    if (!opened.fd)
        return fail(orders, opened.error);
    if (orders.source.kind == Kind::udp)
        return pump_datagrams(orders, opened.fd);
    if (const int error = write_all(opened.fd.get(), orders.greeting); error != 0)
        return fail(orders, fmt::format("the greeting was not taken: {}", std::strerror(error)));
    if (orders.source.kind != Kind::tcp)
        return pump(orders, {.first = std::move(opened.fd), .second = {}});
    (void)say_word(orders.lifeline.get(), SourceWord::Kind::connected, "", opened.fd.get());
    return EX_OK;
}

} // namespace

int start_source(int argc, char** argv) {
    settle_signals();
    leave_stopping_to_the_master();
    panic_on_terminate();
    prepare_process_title(argc, argv);
    occupy_standard_streams();
    std::optional<Orders> orders;
    try {
        orders = orders_of({argv, static_cast<size_t>(argc)});
    } catch (const std::exception&) {
        // said below
    }
    if (!orders) {
        say_beside_log("chatserv-source is started by chatserv, not by hand: run chatserv with "
                       "--source");
        return EX_USAGE;
    }
    set_process_title("chatserv: source " + orders->source.name());
    try {
        return serve_by(*orders);
    } catch (const std::exception& failure) {
        return fail(*orders, failure.what());
    }
}

} // namespace chatserv
