// chatserv: the master's program.
#include "master/commands/chaos.h"
#include "master/commands/drain.h"
#include "master/commands/events.h"
#include "master/commands/kick.h"
#include "master/commands/reload.h"
#include "master/commands/stats.h"
#include "master/commands/status.h"
#include "master/commands/top.h"
#include "master/commands/upgrade.h"
#include "master/commands/users.h"
#include "master/config/commands.h"
#include "master/config/options.h"
#include "master/config/unix_access.h"
#include "master/config/worker_user.h"
#include "master/reload/reading.h"
#include "master/serving.h"
#include "master/upgrade/become_program.h"
#include "master/upgrade/trial.h"
#include "shared/system/failure.h"
#include "shared/system/log_sink.h"
#include "shared/system/panic.h"
#include "shared/system/process_title.h"
#include "shared/system/signals.h"
#include "shared/system/standard_streams.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>
#include <poll.h>
#include <string>
#include <string_view>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace chatserv;

using CommandProgram = int (*)(int argc, const char* const* argv);

// The commands that ask a running server. Null for any other word.
CommandProgram program_of(std::string_view command) {
    constexpr std::pair<std::string_view, CommandProgram> programs[] = {
        {"chaos", run_chaos},
        {"drain", run_drain},
        {"events", run_events},
        {"kick", run_kick},
        {"reload", run_reload},
        {"stats", run_stats},
        {"status", run_status},
        {"top", run_top},
        {"upgrade", run_upgrade},
        {"users", run_users},
    };
    const auto* const found = std::find_if(std::begin(programs), std::end(programs),
        [&](const auto& program) { return program.first == command; });
    return found == std::end(programs) ? nullptr : found->second;
}

// `chatserv help`, `chatserv help COMMAND`.
int help(const std::vector<std::string>& words) {
    const std::string about = words.empty() ? "" : words.front();
    const std::vector<std::string> names = command_names();
    if (words.size() > 1 ||
        (!words.empty() && std::find(names.begin(), names.end(), about) == names.end()))
        throw Failure(
            EX_USAGE, "help \"" + words.back() + "\": must be one command: " + names_of_commands());
    const char* const arguments[] = {about.c_str(), "--help", nullptr};
    if (const auto run = program_of(about))
        return run(2, arguments);
    return parse_options(2, arguments) ? EX_SOFTWARE : EX_OK;
}

int version(const std::vector<std::string>& words) {
    if (!words.empty())
        throw Failure(EX_USAGE, "version \"" + words.front() + "\": must stand alone");
    const char* const arguments[] = {"chatserv", "--version", nullptr};
    return parse_options(2, arguments) ? EX_SOFTWARE : EX_OK;
}

int run(int argc, char** argv) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (const auto program = program_of(command))
        return program(argc - 1, argv + 1);
    if (command == "help")
        return help({argv + 2, argv + argc});
    if (command == "version")
        return version({argv + 2, argv + argc});
    auto options = parse_options(argc, argv);
    if (!options)
        return EX_OK;
    choose_worker_user(*options);
    choose_unix_group(*options);
    if (options->check_config) {
        resolve_listen(options->listen);
        resolve_listen(options->metrics);
        std::fputs(describe(*options).c_str(), stdout);
        return EX_OK;
    }
    return serve(std::move(*options), argc > 0
                                          ? std::vector<std::string>(argv, argv + argc)
                                          : std::vector<std::string>(1)); // execve(2) allows none
}

bool reads_for_a_server(int argc, char** argv) {
    return argc > 1 && argv[1] == std::string_view(reading_word);
}

// A program that a running server has started, with a word that no user gives; the numbers are
// those of descriptors.
int run_for_server(int argc, char** argv) {
    if (argc == 4 && argv[1] == std::string_view(trial_word))
        return stand_trial(std::atoi(argv[2]), std::atoi(argv[3]), argv[0]);
    if (reads_for_a_server(argc, argv))
        return read_options_for_server(argc, argv);
    return take_over(std::atoi(argv[2]), argv[0]);
}

// The keeper has become this program. Its signals are blocked, and those that came are pending:
// they stay so until the keeper waits for them.
bool continues_a_server(int argc, char** argv) {
    return argc == 3 && argv[1] == std::string_view(take_over_word);
}

bool is_for_server(int argc, char** argv) {
    return continues_a_server(argc, argv) || reads_for_a_server(argc, argv) ||
           (argc == 4 && argv[1] == std::string_view(trial_word));
}

// A server that fails says why in one line.
int fail(int exit_status, const char* what) {
    say_beside_log(what);
    return exit_status;
}

bool has_no_reader(int fd) {
    pollfd asked{.fd = fd, .events = POLLOUT, .revents = 0};
    return ::poll(&asked, 1, 0) == 1 && (asked.revents & (POLLERR | POLLHUP)) != 0;
}

// Only now is it known whether the output has arrived; of an earlier failure it is only known that
// there was one. A reader that has gone (EPIPE) did so by its own wish, so no line is said of that.
int finish_output(int exit_status) {
    const int error = std::fflush(stdout) == 0 ? 0 : errno;
    if (error == 0 && std::ferror(stdout) == 0)
        return exit_status;
    if (error != EPIPE && !has_no_reader(STDOUT_FILENO))
        (void)fail(EX_IOERR,
            error == 0 ? "standard output: not all could be written"
                       : (std::string("standard output: ") + std::strerror(error)).c_str());
    return exit_status == EX_OK ? EX_IOERR : exit_status;
}

} // namespace

int main(int argc, char** argv) {
    if (!continues_a_server(argc, argv))
        settle_signals();
    panic_on_terminate();
    prepare_process_title(argc, argv);
    try {
        occupy_standard_streams();
        return finish_output(
            is_for_server(argc, argv) ? run_for_server(argc, argv) : run(argc, argv));
    } catch (const Failure& failure) {
        return fail(failure.exit_status(), failure.what());
    } catch (const std::system_error& failure) {
        if (std::ferror(stdout) != 0)
            return finish_output(EX_IOERR);
        return fail(EX_OSERR, failure.what());
    } catch (const std::exception& failure) {
        return fail(EX_SOFTWARE, failure.what());
    }
}
