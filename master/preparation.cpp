#include "master/preparation.h"

#include "master/clients/handed_listeners.h"
#include "master/clients/listeners.h"
#include "master/config/relay_settings_of.h"
#include "master/config/start_step.h"
#include "master/config/table_room.h"
#include "master/ledger/holdings.h"
#include "master/start/own_program.h"
#include "master/upgrade/legacy.h"
#include "master/workers/account_check.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/failure.h"
#include "shared/system/logging.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fmt/core.h>
#include <sysexits.h>

namespace chatserv {

namespace {

std::string megabytes(uint64_t bytes) {
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1024 * 1024));
}

Failure no_memory(const Options& options, const MemoryRefused& refusal) {
    const int error = refusal.code().value();
    const std::string why =
        refusal.available_bytes()
            ? fmt::format("and there are {}", megabytes(*refusal.available_bytes()))
            : fmt::format("which the system refused ({})", std::strerror(error));
    return {EX_OSERR,
        fmt::format("the shared memory needs {}, {}: choose a smaller --log-size (it is {} bytes) "
                    "or fewer --users (they are {}), or {}",
            megabytes(refusal.needed_bytes()), why, options.log_bytes, options.users,
            error == EFBIG ? "raise the limit of file sizes (ulimit -f, LimitFSIZE=)"
                           : "give the server more memory")};
}

// The limit is long, because the system zeroes all of this memory: many gigabytes take a while.
Segment make_segment(const Options& options) {
    const StartStep step("reserving shared memory",
        fmt::format("choose a smaller --log-size (it is {} bytes)", options.log_bytes), EX_OSERR,
        {.limit = std::chrono::minutes(10)});
    try {
        const TableRoom room = room_for(options);
        return Segment::create({.users = room.users,
            .workers = room.workers,
            .processes = room.processes(),
            .log_bytes = options.log_bytes,
            .outbound_bytes = options.joined() ? options.log_bytes : 0,
            .framing = framing_settings_of(options),
            .settings = relay_settings_of(options)});
    } catch (const MemoryRefused& refusal) {
        throw no_memory(options, refusal);
    }
}

Ledger make_ledger(const Options& options, const SegmentHeader& segment) {
    try {
        Ledger ledger = Ledger::create(
            {.users = segment.users, .workers = segment.workers, .processes = segment.processes});
        ledger.standing().workers_wanted = options.workers;
        return ledger;
    } catch (const MemoryRefused& refusal) {
        throw no_memory(options, refusal);
    }
}

std::vector<Listener> make_few_listeners(const Options& options, std::vector<HandedSocket> handed) {
    std::vector<Listener> listeners =
        make_listeners(options.listen, ready_listeners(std::move(handed), options.listen));
    if (listeners.size() > listeners_max)
        throw Failure(EX_USAGE, fmt::format("--listen stands for {} addresses: at most {} can be "
                                            "listened on",
                                    listeners.size(), listeners_max));
    for (uint32_t index = 0; index < listeners.size(); ++index)
        listeners[index].note_number(index);
    return listeners;
}

// Read by the next master, and by the next program.
std::vector<ListenerNote> notes_of(const std::vector<Listener>& listeners) {
    std::vector<ListenerNote> notes;
    notes.reserve(listeners.size());
    for (const Listener& listener : listeners)
        notes.push_back({.number = listener.number(),
            .serves = listener.serves(),
            .role = listener.role(),
            .proxied = listener.proxied(),
            .is_handed_over = listener.is_handed_over(),
            .handed_role = listener.handed_role()});
    return notes;
}

} // namespace

// The control socket comes first: another server that listens at its path ends the start before any
// port is taken.
Preparation prepare(const Options& options, const std::vector<std::string>& command_line,
    std::vector<HandedSocket> handed) {
    auto control_socket = open_control_socket(options);
    Segment segment = make_segment(options);
    Ledger ledger = make_ledger(options, segment.header());
    auto doorbells = make_pipes(segment.all_entries().size());
    std::vector<std::string> kept = kept_names(handed);
    auto listeners = make_few_listeners(options, std::move(handed));
    MetricsResources metrics = get_metrics_resources(options, command_line.front());
    BridgeResources bridge = get_bridge_resources(options, command_line.front());
    SourceResources sources = get_source_resources(options, command_line.front());
    std::string why_no_account = why_account_is_unreliable();
    std::string program = own_program_path(command_line.front());
    UniqueFd own_program = open_own_program(program);
    UniqueFd legacy = write_legacy({.options = options,
        .program = program,
        .control = control_socket ? control_socket->path() : "",
        .why_no_account = why_no_account,
        .command_line = command_line,
        .listeners = notes_of(listeners),
        .sources = sources.sources});
    return {.control_socket = std::move(control_socket),
        .segment = std::move(segment),
        .ledger = std::move(ledger),
        .doorbells = std::move(doorbells),
        .listeners = std::move(listeners),
        .metrics = std::move(metrics),
        .bridge = std::move(bridge),
        .sources = std::move(sources),
        .kept_names = std::move(kept),
        .why_no_account = std::move(why_no_account),
        .program = std::move(program),
        .own_program = std::move(own_program),
        .legacy = std::move(legacy)};
}

namespace {

void note_if_open(const Ledger& ledger, Holding kind, size_t number, int fd) {
    if (fd != -1)
        Holdings(ledger).note(kind, static_cast<uint32_t>(number), fd);
}

} // namespace

void note_programs(const Preparation& prepared, const WorkerProgram& worker_program) {
    note_if_open(prepared.ledger, Holding::worker_program, 0, worker_program.fd());
    note_if_open(prepared.ledger, Holding::own_program, 0, prepared.own_program.get());
    note_metrics_resources(prepared.metrics, prepared.ledger);
    note_bridge_resources(prepared.bridge, prepared.ledger);
    note_source_resources(prepared.sources, prepared.ledger);
}

void note_holdings(Preparation& prepared, const WorkerProgram& worker_program, const LogFile& log) {
    const auto note = [&](Holding kind, size_t number, int fd) {
        note_if_open(prepared.ledger, kind, number, fd);
    };
    note(Holding::segment, 0, prepared.segment.fd());
    note(Holding::ledger, 0, prepared.ledger.fd());
    for (const Listener& listener : prepared.listeners)
        Holdings(prepared.ledger)
            .note_listener(listener.number(), listener.fd(), listener.role(), listener.proxied());
    for (size_t index = 0; index < prepared.doorbells.size(); ++index) {
        note(Holding::doorbell_reading, index, prepared.doorbells[index].first.get());
        note(Holding::doorbell_writing, index, prepared.doorbells[index].second.get());
    }
    note_programs(prepared, worker_program);
    note(Holding::legacy, 0, prepared.legacy.get());
    note(Holding::standard_error, 0, log.former_fd());
    note(Holding::log_file_reader, 0, log.reader_fd());
    if (prepared.control_socket)
        prepared.control_socket->note_in(Holdings(prepared.ledger));
}

} // namespace chatserv
