#include "master/resuming.h"

#include "master/in_force.h"
#include "master/ledger/holdings.h"
#include "master/start/own_program.h"
#include "master/upgrade/legacy.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

// A descriptor that the ledger notes; -1 if this server is without. Throws Failure if it is not
// open.
int noted(const Ledger& ledger, Holding kind, uint32_t number = 0) {
    const int fd = Holdings(ledger).find(kind, number);
    struct stat status {};
    if (fd != -1 && ::fstat(fd, &status) == -1)
        throw Failure(EX_SOFTWARE, fmt::format("descriptor {} (holding {}) did not get here", fd,
                                       static_cast<uint32_t>(kind)));
    return fd;
}

// The same for one that every server has.
int needed(const Ledger& ledger, Holding kind, uint32_t number = 0) {
    const int fd = noted(ledger, kind, number);
    if (fd == -1)
        throw Failure(
            EX_SOFTWARE, fmt::format("holding {} is missing", static_cast<uint32_t>(kind)));
    return fd;
}

// Everything that can fail, before anything is owned: what owns a descriptor would close it.
void check(const Ledger& ledger, const Legacy& legacy) {
    const Segment segment =
        Segment::attach(UniqueFd(::fcntl(needed(ledger, Holding::segment), F_DUPFD_CLOEXEC, 0)));
    for (uint32_t index = 0; index < segment.all_entries().size(); ++index) {
        (void)needed(ledger, Holding::doorbell_reading, index);
        (void)needed(ledger, Holding::doorbell_writing, index);
    }
    for (const ListenerNote& listener : legacy.listeners)
        (void)Address::of_socket(needed(ledger, Holding::listener, listener.number));
    for (uint32_t index = 0; index < metrics_listeners_max; ++index)
        if (const int fd = noted(ledger, Holding::metrics_listener, index); fd != -1)
            (void)Address::of_socket(fd);
    for (const Holding kind :
        {Holding::control_listener, Holding::standard_error, Holding::log_file_reader})
        (void)noted(ledger, kind);
}

// The descriptor, owned.
UniqueFd own(const Ledger& ledger, Holding kind, uint32_t number = 0) {
    return UniqueFd(Holdings(ledger).find(kind, number));
}

std::vector<FdPair> own_doorbells(const Ledger& ledger, size_t count) {
    std::vector<FdPair> doorbells;
    for (uint32_t index = 0; index < count; ++index)
        doorbells.push_back({.first = own(ledger, Holding::doorbell_reading, index),
            .second = own(ledger, Holding::doorbell_writing, index)});
    return doorbells;
}

std::unique_ptr<ControlSocket> own_control(const Ledger& ledger, const std::string& path) {
    const int fd = Holdings(ledger).find(Holding::control_listener, 0);
    if (fd == -1 || path.empty())
        return nullptr;
    return std::make_unique<ControlSocket>(path, UniqueFd(fd));
}

// The number that a file of the former program has now: its own, unless a master of the later
// program has noted that one's in its place.
uint32_t place_of_former(const Ledger& ledger, Holding kind) {
    return Holdings(ledger).find(kind, 1) == -1 ? 0 : 1;
}

} // namespace

Resumed resume_preparation(Ledger& ledger, const std::string& argv0) {
    const uint32_t options_number = ledger.standing().options_number;
    Legacy legacy = read_legacy(needed(ledger, Holding::legacy, options_number));
    check(ledger, legacy);
    const UpgradeBook book(ledger);
    const bool returns = book.state() == UpgradeState::returning;
    const uint32_t number = place_of_former(ledger, Holding::own_program);
    const int former_program = noted(ledger, Holding::own_program, number);
    const int former_worker =
        noted(ledger, Holding::worker_program, place_of_former(ledger, Holding::worker_program));
    WorkerProgram program = returns && former_worker != -1
                                ? WorkerProgram(UniqueFd(former_worker), "chatserv-worker")
                                : WorkerProgram(argv0);
    const int former_metrics =
        noted(ledger, Holding::metrics_program, place_of_former(ledger, Holding::metrics_program));
    MetricsResources metrics =
        resume_metrics_resources(ledger, legacy.options, argv0, returns ? former_metrics : -1);
    const int former_bridge =
        noted(ledger, Holding::bridge_program, place_of_former(ledger, Holding::bridge_program));
    BridgeResources bridge =
        resume_bridge_resources(legacy.options, argv0, returns ? former_bridge : -1);
    const int former_source =
        noted(ledger, Holding::source_program, place_of_former(ledger, Holding::source_program));
    SourceResources sources =
        resume_source_resources(legacy.sources, argv0, returns ? former_source : -1);
    const Image image = returns ? book.former() : Image{.number = book.number()};
    auto control_socket = own_control(ledger, legacy.control);
    Segment segment = Segment::take_over(own(ledger, Holding::segment));
    auto doorbells = own_doorbells(ledger, segment.all_entries().size());
    auto listeners = noted_listeners(ledger, legacy.listeners);
    std::string log_file = legacy.options.log_file;
    UniqueFd former_error = own(ledger, Holding::standard_error);
    UniqueFd log_reader = own(ledger, Holding::log_file_reader);
    UniqueFd legacy_fd = own(ledger, Holding::legacy, options_number);
    return {.options = std::move(legacy.options),
        .log_file = LogFile(std::move(log_file), std::move(former_error), std::move(log_reader)),
        .program = std::move(program),
        .preparation = {.control_socket = std::move(control_socket),
            .segment = std::move(segment),
            .ledger = std::move(ledger),
            .doorbells = std::move(doorbells),
            .listeners = std::move(listeners),
            .metrics = std::move(metrics),
            .bridge = std::move(bridge),
            .sources = std::move(sources),
            .why_no_account = std::move(legacy.why_no_account),
            .program = std::move(legacy.program),
            .own_program = returns ? UniqueFd(former_program) : open_own_program(argv0),
            .legacy = std::move(legacy_fd),
            .image = image},
        .former_program = former_program};
}

// The former ones first: a master that dies in between leaves them noted, in one place or the
// other.
void note_resumed(Resumed& resumed) {
    Preparation& preparation = resumed.preparation;
    const UpgradeBook book(preparation.ledger);
    const Holdings holdings(preparation.ledger);
    if (book.state() == UpgradeState::proving)
        for (const Holding kind : program_holdings)
            if (const int fd = holdings.find(kind, 0); fd != -1 && holdings.find(kind, 1) == -1)
                holdings.note(kind, 1, fd);
    note_programs(preparation, resumed.program);
    if (book.state() == UpgradeState::returning)
        for (const Holding kind : program_holdings)
            holdings.forget(kind, 1);
}

} // namespace chatserv
