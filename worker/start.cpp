#include "worker/start.h"

#include "shared/confinement/confinement.h"
#include "shared/ipc/channel.h"
#include "shared/ipc/protocol.h"
#include "shared/system/errors.h"
#include "shared/system/log_sink.h"
#include "shared/system/logging.h"
#include "shared/system/panic.h"
#include "shared/system/process_title.h"
#include "shared/system/signals.h"
#include "shared/system/standard_streams.h"
#include "shared/system/whole_number.h"
#include "worker/worker.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <fcntl.h>
#include <optional>
#include <span>
#include <string_view>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace chatserv {

namespace {

std::optional<UniqueFd> inherited(std::string_view argument) {
    const auto fd = whole_number<int>(argument);
    if (!fd || *fd < 3 || ::fcntl(*fd, F_GETFD) == -1)
        return std::nullopt;
    UniqueFd owned(*fd);
    set_close_on_exec(*fd, true);
    return owned;
}

struct Orders {
    uid_t uid = 0;
    gid_t gid = 0;
    Inheritance inheritance{};
};

// The channel, the segment and the rendezvous, then the doorbells.
bool take_descriptors(std::span<char* const> numbers, Inheritance& inheritance) {
    constexpr size_t single = 3;
    if (numbers.size() <= single || (numbers.size() - single) % 2 != 0)
        return false;
    std::vector<UniqueFd> all;
    for (const char* const number : numbers) {
        auto fd = inherited(number);
        if (!fd)
            return false;
        all.push_back(std::move(*fd));
    }
    inheritance.channel = std::move(all[0]);
    inheritance.segment = std::move(all[1]);
    inheritance.rendezvous = std::move(all[2]);
    for (size_t i = single; i < all.size(); i += 2)
        inheritance.doorbells.push_back({std::move(all[i]), std::move(all[i + 1])});
    return true;
}

std::optional<Orders> orders_of(int argc, char** argv) {
    constexpr int first = 6; // of the descriptors
    if (argc <= first)
        return std::nullopt;
    const auto uid = whole_number<uid_t>(argv[first - 3]);
    const auto gid = whole_number<gid_t>(argv[first - 2]);
    const auto seat = whole_number<uint32_t>(argv[first - 1]);
    if (!uid || !gid || !seat)
        return std::nullopt;
    Orders orders{.uid = *uid, .gid = *gid};
    orders.inheritance.seat = SeatId{*seat};
    const std::span<char* const> arguments(argv, static_cast<size_t>(argc));
    if (!take_descriptors(arguments.subspan(first), orders.inheritance))
        return std::nullopt;
    return orders;
}

std::vector<int> descriptors_of(const Inheritance& inheritance, int more) {
    std::vector<int> all{
        inheritance.channel.get(), inheritance.segment.get(), inheritance.rendezvous.get(), more};
    for (const FdPair& doorbell : inheritance.doorbells)
        all.insert(all.end(), {doorbell.first.get(), doorbell.second.get()});
    if (log_descriptor() != -1)
        all.push_back(log_descriptor());
    std::sort(all.begin(), all.end());
    return all;
}

// Tells the master why this process ends before its work has begun. The master decides what follows
// and writes its log. Returns false if the master cannot be told, unless it has ended itself.
bool tell_master(int channel, Hindrance hindrance, int error, const char* text) {
    const Frame frame(MessageType::cannot_work, cannot_work(hindrance, error, text));
    return ::write(channel, &frame, sizeof frame) == static_cast<ssize_t>(sizeof frame) ||
           errno == EPIPE;
}

// Takes all steps from the first to the last. If one fails, `step` says which one, and `channel` is
// a descriptor by which to tell the master. It is closed before hello, since the master expects no
// failure of the start after hello.
void work_by(Orders orders, SocketAccount account, Hindrance& step, UniqueFd& channel) {
    channel = UniqueFd(::fcntl(orders.inheritance.channel.get(), F_DUPFD_CLOEXEC, 3));
    if (!channel)
        throw_errno("the master's channel");
    leave_descriptors_but(descriptors_of(orders.inheritance, channel.get()));
    step = Hindrance::user;
    drop_privileges(orders.uid, orders.gid);
    step = Hindrance::segment;
    Worker worker(std::move(orders.inheritance), account); // maps the segment, makes the kqueue
    step = Hindrance::confinement;
    const Confinement in_force = confine(Duty::relay);
    channel.reset();
    worker.run(in_force);
}

} // namespace

int start_worker(int argc, char** argv, SocketAccount account) {
    settle_signals();
    leave_stopping_to_the_master();
    panic_on_terminate();
    prepare_process_title(argc, argv);
    occupy_standard_streams();
    auto orders = orders_of(argc, argv);
    if (!orders) {
        say_beside_log("chatserv-worker is started by chatserv, not by hand: run chatserv");
        return EX_USAGE;
    }
    set_up_logging(
        "worker", argv[1], std::string_view(argv[2]) == "json" ? LogFormat::json : LogFormat::text);
    set_process_title("chatserv: spare worker");
    Hindrance step = Hindrance::descriptors;
    UniqueFd channel;
    try {
        work_by(std::move(*orders), account, step, channel);
    } catch (const std::system_error& failure) {
        if (!tell_master(channel.get(), step, failure.code().value(), failure.what()))
            log_error("worker", failure.what());
        return step == Hindrance::user ? EX_NOPERM : EX_OSERR;
    } catch (const std::exception& failure) {
        if (!tell_master(channel.get(), step, 0, failure.what()))
            log_error("worker", failure.what());
        return EX_SOFTWARE;
    }
    say_dropped_lines();
    return EX_OK;
}

} // namespace chatserv
