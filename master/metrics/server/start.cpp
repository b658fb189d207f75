#include "master/metrics/server/start.h"

#include "master/metrics/server/server_view.h"
#include "master/metrics/server/web_desk.h"
#include "master/metrics/server/web_server.h"
#include "shared/confinement/confinement.h"
#include "shared/segment/memory_fault.h"
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
#include <optional>
#include <span>
#include <string_view>
#include <sysexits.h>
#include <system_error>
#include <utility>
#include <vector>

namespace chatserv {

namespace {

struct Orders {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<UniqueFd> descriptors{}; // the lifeline, the segment, the ledger, the listeners
};

std::optional<Orders> orders_of(std::span<char* const> arguments) {
    constexpr size_t first = 5; // of the descriptors
    constexpr size_t descriptors_min = 4;
    if (arguments.size() < first + descriptors_min)
        return std::nullopt;
    const auto uid = whole_number<uid_t>(arguments[first - 2]);
    const auto gid = whole_number<gid_t>(arguments[first - 1]);
    if (!uid || !gid)
        return std::nullopt;
    Orders orders{.uid = *uid, .gid = *gid};
    for (const char* const argument : arguments.subspan(first)) {
        const auto fd = whole_number<int>(argument);
        if (!fd || *fd < 3 || ::fcntl(*fd, F_GETFD) == -1)
            return std::nullopt;
        orders.descriptors.emplace_back(*fd);
        set_close_on_exec(*fd, true);
    }
    return orders;
}

std::vector<int> numbers_of(const std::vector<UniqueFd>& descriptors) {
    std::vector<int> numbers;
    numbers.reserve(descriptors.size() + 1);
    for (const UniqueFd& fd : descriptors)
        numbers.push_back(fd.get());
    if (log_descriptor() != -1)
        numbers.push_back(log_descriptor());
    std::ranges::sort(numbers);
    return numbers;
}

// Everything that a confined process cannot do comes before confine(). `step_fails_with`: the exit
// status if the step that is being taken fails.
void serve_by(Orders orders, int& step_fails_with) {
    leave_descriptors_but(numbers_of(orders.descriptors));
    step_fails_with = EX_NOPERM;
    drop_privileges(orders.uid, orders.gid);
    step_fails_with = EX_OSERR;
    auto next = orders.descriptors.begin();
    UniqueFd lifeline = std::move(*next++);
    UniqueFd segment = std::move(*next++);
    UniqueFd ledger = std::move(*next++);
    const ServerView view(std::move(segment), std::move(ledger));
    explain_memory_faults(view.mapped());
    WebDesk desk(view);
    WebServer server(desk, std::move(lifeline),
        {std::make_move_iterator(next), // the rest
            std::make_move_iterator(orders.descriptors.end())});
    (void)confine(Duty::metrics);
    server.run();
}

} // namespace

int start_metrics(int argc, char** argv) {
    settle_signals();
    leave_stopping_to_the_master();
    panic_on_terminate();
    prepare_process_title(argc, argv);
    occupy_standard_streams();
    auto orders = orders_of({argv, static_cast<size_t>(argc)});
    if (!orders) {
        say_beside_log("chatserv-metrics is started by chatserv, not by hand: run chatserv with "
                       "--metrics");
        return EX_USAGE;
    }
    set_up_logging("metrics", argv[1],
        std::string_view(argv[2]) == "json" ? LogFormat::json : LogFormat::text);
    set_process_title("chatserv: metrics");
    int step_fails_with = EX_OSERR;
    try {
        serve_by(std::move(*orders), step_fails_with);
    } catch (const std::system_error& failure) {
        log_error("metrics_failed", failure.what());
        return step_fails_with;
    } catch (const std::exception& failure) {
        log_error("metrics_failed", failure.what());
        return EX_SOFTWARE;
    }
    say_dropped_lines();
    return EX_OK;
}

} // namespace chatserv
