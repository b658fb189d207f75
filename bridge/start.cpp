#include "bridge/start.h"

#include "bridge/bridge.h"
#include "bridge/engine/jetstream.h"
#include "bridge/events.h"
#include "shared/confinement/confinement.h"
#include "shared/ipc/program_build.h"
#include "shared/segment/memory_fault.h"
#include "shared/segment/segment.h"
#include "shared/system/fd.h"
#include "shared/system/log_sink.h"
#include "shared/system/logging.h"
#include "shared/system/panic.h"
#include "shared/system/process_title.h"
#include "shared/system/signals.h"
#include "shared/system/standard_streams.h"
#include "shared/system/whole_number.h"

#include <algorithm>
#include <exception>
#include <fcntl.h>
#include <fmt/core.h>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv {
namespace {

struct Orders {
    uid_t uid = 0;
    gid_t gid = 0;
    UniqueFd lifeline{};
    UniqueFd segment{};
    UniqueFd bell{};
    UniqueFd settings{};
    std::vector<FdPair> bells{}; // the writing ends alone
};

UniqueFd inherited(std::string_view argument) {
    const auto fd = whole_number<int>(argument);
    if (!fd || *fd < 3 || ::fcntl(*fd, F_GETFD) == -1)
        return {};
    set_close_on_exec(*fd, true);
    return UniqueFd(*fd);
}

// Behind those of the workers, the bridge's own: it is in the table that rings are looked up in,
// and never rung by itself.
std::vector<FdPair> bells_of(std::string_view numbers) {
    std::vector<FdPair> bells;
    for (size_t begin = 0; begin <= numbers.size();) {
        const size_t end = std::min(numbers.find(',', begin), numbers.size());
        UniqueFd bell = inherited(numbers.substr(begin, end - begin));
        if (!bell)
            return {};
        bells.push_back({.first = {}, .second = std::move(bell)});
        begin = end + 1;
    }
    bells.emplace_back();
    return bells;
}

std::optional<Orders> orders_of(std::span<char* const> arguments) {
    constexpr size_t expected = 10;
    if (arguments.size() != expected)
        return std::nullopt;
    const auto uid = whole_number<uid_t>(arguments[3]);
    const auto gid = whole_number<gid_t>(arguments[4]);
    if (!uid || !gid)
        return std::nullopt;
    Orders orders{.uid = *uid,
        .gid = *gid,
        .lifeline = inherited(arguments[5]),
        .segment = inherited(arguments[6]),
        .bell = inherited(arguments[7]),
        .settings = inherited(arguments[9]),
        .bells = bells_of(arguments[8])};
    if (!orders.lifeline || !orders.segment || !orders.bell || !orders.settings ||
        orders.bells.empty())
        return std::nullopt;
    return orders;
}

std::vector<int> descriptors_of(const Orders& orders) {
    std::vector<int> all{
        orders.lifeline.get(), orders.segment.get(), orders.bell.get(), orders.settings.get()};
    for (const FdPair& bell : orders.bells)
        if (bell.second)
            all.push_back(bell.second.get());
    if (log_descriptor() != -1)
        all.push_back(log_descriptor());
    std::ranges::sort(all);
    return all;
}

void check(const Segment& segment, const Orders& orders) {
    if (!segment.joined() || orders.bells.size() != segment.all_entries().size())
        throw std::runtime_error("the master's segment is of a server that has joined no room");
}

// The master wants to know whether this program can be its bridge. No pipe is so full that this
// waits.
int say_build(std::string_view descriptor) {
    const UniqueFd answer = inherited(descriptor);
    const std::string build = text_of(own_build());
    const ssize_t said = ::write(answer.get(), build.data(), build.size());
    return said == static_cast<ssize_t>(build.size()) ? EX_OK : EX_IOERR;
}

// Everything that a confined process cannot do comes before confine(), and every thread after it,
// as a thread is confined by the one that starts it. `step_fails_with`: the exit status if the step
// that is being taken fails.
Bridge::End serve_by(Orders orders, int& step_fails_with) {
    leave_descriptors_but(descriptors_of(orders));
    BridgeSettings settings = settings_in(all_of(orders.settings.get()));
    orders.settings.reset();
    step_fails_with = EX_NOPERM;
    drop_privileges(orders.uid, orders.gid);
    step_fails_with = EX_OSERR;
    const Segment segment = Segment::attach(std::move(orders.segment));
    check(segment, orders);
    explain_memory_faults(segment.bytes());
    (void)confine(Duty::bridge);
    if (const std::string refusal = JetStreamEngine::refusal_of(settings.jetstream);
        !refusal.empty())
        throw Failure(exit_unusable,
            fmt::format("the room {} cannot be joined: {}; correct --join or the --room options, "
                        "and start the server again",
                settings.jetstream.room, refusal));
    const std::string room = settings.jetstream.room;
    // Never destroyed: that would wait for the library's calls to end.
    Engine& engine = *std::make_unique<JetStreamEngine>(std::move(settings.jetstream)).release();
    Bridge bridge({.segment = segment,
                      .engine = engine,
                      .lifeline = orders.lifeline.get(),
                      .bell = orders.bell.get(),
                      .bells = orders.bells},
        {.room = room, .hang_limit = settings.hang_limit, .exchange = settings.exchange});
    return bridge.run();
}

} // namespace

int start_bridge(int argc, char** argv) {
    settle_signals();
    leave_stopping_to_the_master();
    panic_on_terminate();
    prepare_process_title(argc, argv);
    occupy_standard_streams();
    if (argc == 3 && argv[1] == std::string_view(build_word))
        return say_build(argv[2]);
    auto orders = orders_of({argv, static_cast<size_t>(argc)});
    if (!orders) {
        say_beside_log("chatserv-bridge is started by chatserv, not by hand: run chatserv with "
                       "--join");
        return EX_USAGE;
    }
    set_up_logging(
        "bridge", argv[1], std::string_view(argv[2]) == "json" ? LogFormat::json : LogFormat::text);
    set_process_title("chatserv: bridge");
    int status = EX_OSERR;
    try {
        const Bridge::End end = serve_by(std::move(*orders), status);
        status = end == Bridge::End::room_over ? exit_room_over : EX_OK;
    } catch (const Failure& failure) {
        events::bridge_failed(failure.what());
        status = failure.exit_status();
    } catch (const std::system_error& failure) {
        events::bridge_failed(failure.what());
    } catch (const std::exception& failure) {
        events::bridge_failed(failure.what());
        status = EX_SOFTWARE;
    }
    say_dropped_lines();
    return status;
}

} // namespace chatserv
