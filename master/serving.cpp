#include "master/serving.h"

#include "master/clients/handed_listeners.h"
#include "master/clients/inheritance.h"
#include "master/config/unix_access.h"
#include "master/events.h"
#include "master/in_force.h"
#include "master/inheriting.h"
#include "master/keeper/keeper.h"
#include "master/keeper/keeper_events.h"
#include "master/ledger/holdings.h"
#include "master/ledger/log_word.h"
#include "master/master.h"
#include "master/preparation.h"
#include "master/resuming.h"
#include "master/start/descriptor_limit.h"
#include "master/start/log_file.h"
#include "master/upgrade/become_program.h"
#include "master/upgrade/upgrade_events.h"
#include "master/workers/reaping.h"
#include "master/workers/seat_book.h"
#include "master/workers/worker_program.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/failure.h"
#include "shared/system/log_sink.h"
#include "shared/system/logging.h"
#include "shared/system/open_descriptors.h"
#include "shared/system/process_title.h"
#include "shared/system/shared_table.h"

#include <cstring>
#include <exception>
#include <fmt/core.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace chatserv {

namespace {

// All that the server has before its first master.
struct Prepared {
    const Options& options;
    const WorkerProgram& program;
    LogFile& log_file;
    Preparation& preparation;
    Resumed* resumed = nullptr; // null in the program that the user has started
};

int exit_status_of(const std::exception& failure) {
    if (const auto* const ours = dynamic_cast<const Failure*>(&failure))
        return ours->exit_status();
    return dynamic_cast<const std::system_error*>(&failure) != nullptr ? EX_OSERR : EX_SOFTWARE;
}

// A reload may have changed the level and the format of the log.
LogChoice log_choice(const Options& options, const Ledger& ledger) {
    return log_choice_of(load_acquire(ledger.standing().log_word))
        .value_or(LogChoice{.level = options.log_level, .format = options.log_format});
}

void appear_as(const Options& options, const Ledger& ledger, const std::string& process) {
    set_process_title("chatserv: " + process);
    const LogChoice log = log_choice(options, ledger);
    set_up_logging(process, log.level, log.format);
}

// This process is a master, or was one before it became the keeper.
bool was_master = false;

// In the master's process. The master is never deleted: its keeper has the same descriptors, and so
// has the master after it.
MasterEnd run_master(const Prepared& prepared, KeeperLink& keeper) {
    try {
        if (prepared.resumed != nullptr)
            note_resumed(*prepared.resumed);
        auto& options = *new Options(prepared.options);
        std::vector<Newcomer> newcomers;
        if (keeper.is_successor()) {
            Legacy legacy = legacy_of(prepared.preparation.ledger);
            newcomers = inherit_descriptors(prepared.preparation, legacy);
            options = std::move(legacy.options);
            prepared.preparation.sources.sources = std::move(legacy.sources);
        }
        was_master = true;
        auto& master = *new Master(
            options, prepared.program, prepared.log_file, prepared.preparation, &keeper);
        master.note_newcomers(newcomers);
        const MasterEnd end = master.run();
        if (end.how != MasterEnd::How::keeper_died)
            say_dropped_lines();
        return end;
    } catch (const std::exception& failure) {
        if (prepared.log_file.in_use()) {
            events::failed(failure.what());
            prepared.log_file.restore();
        }
        say_beside_log(failure.what());
        // A start that fails has to end. Later the users are there, and another master may have
        // more luck.
        const bool starts = prepared.preparation.ledger.standing().phase == 0;
        return {.how = starts ? MasterEnd::How::final : MasterEnd::How::failed,
            .exit_status = exit_status_of(failure)};
    }
}

// In the keeper. Returns if the next program cannot be executed: the next master says so.
void become_next(const Prepared& prepared) {
    const Preparation& preparation = prepared.preparation;
    const int error = become_program_at(preparation.program, preparation.ledger);
    UpgradeBook(preparation.ledger)
        .note_reason(
            fmt::format("{} cannot be executed: {}", preparation.program, std::strerror(error)));
}

// In the keeper, when no master lives. Returns if it fails: then this program goes on all the same.
void become_former(const Ledger& ledger, int program, const std::string& why) {
    UpgradeBook book(ledger);
    book.note_reason(why);
    events::upgrade_returns(why);
    book.enter(UpgradeState::returning);
    if (program != -1)
        (void)become_program_of(program, "chatserv", ledger);
    book.enter(UpgradeState::proving);
}

// The master may have died in the midst of a transition. It is finished here, since the former
// program opens descriptors before it has a master.
void become_former_after_death(const Prepared& prepared) {
    const Preparation& preparation = prepared.preparation;
    put_books_in_order(preparation.ledger, UserTable(preparation.segment));
    put_seats_in_order(preparation.ledger);
    forget_closed_former(preparation.ledger);
    const auto status = static_cast<int>(preparation.ledger.keeper().ended_status);
    become_former(preparation.ledger, prepared.resumed->former_program,
        fmt::format("its master died before it served: {}", text_of_wait_status(status)));
}

// In a keeper of the new program, as long as no master of it has served. It may have died as it
// became the former program: then a process that it had started is the keeper, and tries again.
bool is_to_return(const Prepared& prepared) {
    const UpgradeBook book(prepared.preparation.ledger);
    return prepared.resumed != nullptr && prepared.resumed->former_program != -1 &&
           prepared.preparation.image.number == book.number() &&
           (book.state() == UpgradeState::proving || book.state() == UpgradeState::returning);
}

int keep(const Prepared& prepared) {
    const Ledger& ledger = prepared.preparation.ledger;
    Keeper keeper(ledger.keeper(),
        {.run_master = [&](KeeperLink& link) { return run_master(prepared, link); },
            .appear_as =
                [&](Keeper::Role role) {
                    appear_as(prepared.options, ledger,
                        role == Keeper::Role::keeper ? "keeper" : "master");
                },
            .look_at_settings =
                [&] {
                    const LogChoice log = log_choice(prepared.options, ledger);
                    change_logging(log.level, log.format);
                },
            .may_reap = [&](pid_t pid) { return may_reap(ledger, pid); },
            .become_next = [&] { become_next(prepared); },
            .is_to_return = [&] { return is_to_return(prepared); },
            .become_former = [&] { become_former_after_death(prepared); },
            .hang_limit = prepared.options.hang_limit});
    const int exit_status = keeper.run();
    if (was_master) // what a master owns is abandoned at its end, and nothing of it is deleted
        ::_exit(exit_status);
    return exit_status;
}

int serve_without_keeper(const Prepared& prepared) {
    events::no_keeper();
    Options options = prepared.options; // a reload changes them
    Master master(options, prepared.program, prepared.log_file, prepared.preparation, nullptr);
    const int exit_status = master.run().exit_status;
    say_dropped_lines();
    return exit_status;
}

} // namespace

int serve(Options options, const std::vector<std::string>& command_line) {
    const std::string& argv0 = command_line.front();
    std::vector<HandedSocket> handed = take_handed_sockets();
    // What else this process inherited would look like a descriptor that a dead master left.
    if (can_share_descriptors())
        close_descriptors_from(STDERR_FILENO + 1 + static_cast<int>(handed.size()));
    if (options.listens_by_default() && has_handed_over(handed))
        options.listen.clear();
    LogFile log_file(options.log_file);
    set_up_logging("master", options.log_level, options.log_format);
    try {
        resolve_listen(options.listen);
        resolve_listen(options.metrics);
        set_unix_access(options);
        const int descriptors = ensure_descriptor_limit(options, handed.size());
        const WorkerProgram program(argv0);
        set_process_title("chatserv: master");
        Preparation preparation = prepare(options, command_line, std::move(handed));
        note_holdings(preparation, program, log_file);
        const Prepared prepared{options, program, log_file, preparation};
        if (!can_share_descriptors())
            return serve_without_keeper(prepared);
        grow_descriptor_table(descriptors);
        return keep(prepared);
    } catch (const std::exception& failure) {
        if (log_file.in_use()) // main() says it on standard error as well
            events::failed(failure.what());
        throw;
    }
}

// A failure here must not close what the former program needs; resume_preparation() sees to that.
// If the former program cannot return either, this process ends, and the master that stands in
// becomes the keeper.
int take_over(int ledger_fd, const std::string& argv0) {
    Ledger ledger = Ledger::attach(UniqueFd(ledger_fd));
    UpgradeBook book(ledger);
    const bool returns = book.state() == UpgradeState::returning;
    try {
        Resumed resumed = resume_preparation(ledger, argv0);
        appear_as(resumed.options, resumed.preparation.ledger, "keeper");
        grow_descriptor_table(ensure_descriptor_limit(resumed.options));
        if (!returns)
            UpgradeBook(resumed.preparation.ledger).enter(UpgradeState::proving);
        return keep(
            {resumed.options, resumed.program, resumed.log_file, resumed.preparation, &resumed});
    } catch (const std::exception& failure) {
        if (!returns)
            become_former(ledger, Holdings(ledger).find(Holding::own_program, 0), failure.what());
        throw;
    }
}

} // namespace chatserv
