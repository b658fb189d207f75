// chatserv: the master's program.
#include "master/commands/chaos.h"
#include "master/commands/drain.h"
#include "master/commands/stats.h"
#include "master/config/commands.h"
#include "master/config/options.h"
#include "master/config/worker_user.h"
#include "master/events.h"
#include "master/master.h"
#include "master/start/descriptor_limit.h"
#include "master/start/log_file.h"
#include "master/workers/worker_program.h"
#include "shared/system/failure.h"
#include "shared/system/fd.h"
#include "shared/system/log_sink.h"
#include "shared/system/logging.h"
#include "shared/system/panic.h"
#include "shared/system/process_title.h"
#include "shared/system/signals.h"
#include "shared/system/standard_streams.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <poll.h>
#include <string>
#include <string_view>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

using namespace chatserv;

// `chatserv help`, `chatserv help COMMAND`.
int help(const std::vector<std::string>& words) {
    const std::string about = words.empty() ? "" : words.front();
    const std::vector<std::string> names = command_names();
    if (words.size() > 1 ||
        (!words.empty() && std::find(names.begin(), names.end(), about) == names.end()))
        throw Failure(
            EX_USAGE, "help \"" + words.back() + "\": must be one command: " + names_of_commands());
    const char* const arguments[] = {about.c_str(), "--help", nullptr};
    if (about == "chaos")
        return run_chaos(2, arguments);
    if (about == "drain")
        return run_drain(2, arguments);
    if (about == "stats")
        return run_stats(2, arguments);
    return parse_options(2, arguments) ? EX_SOFTWARE : EX_OK;
}

int version(const std::vector<std::string>& words) {
    if (!words.empty())
        throw Failure(EX_USAGE, "version \"" + words.front() + "\": must stand alone");
    const char* const arguments[] = {"chatserv", "--version", nullptr};
    return parse_options(2, arguments) ? EX_SOFTWARE : EX_OK;
}

int serve(int argc, char** argv) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (command == "chaos")
        return run_chaos(argc - 1, argv + 1);
    if (command == "drain")
        return run_drain(argc - 1, argv + 1);
    if (command == "stats")
        return run_stats(argc - 1, argv + 1);
    if (command == "help")
        return help({argv + 2, argv + argc});
    if (command == "version")
        return version({argv + 2, argv + argc});
    auto options = parse_options(argc, argv);
    if (!options)
        return EX_OK;
    choose_worker_user(*options);
    if (options->check_config) {
        resolve_listen(options->listen);
        std::fputs(describe(*options).c_str(), stdout);
        return EX_OK;
    }
    LogFile log_file(options->log_file);
    set_up_logging("master", options->log_level, options->log_format);
    try {
        resolve_listen(options->listen);
        ensure_descriptor_limit(*options);
        const WorkerProgram program(argc > 0 ? argv[0] : ""); // execve(2) allows none
        set_process_title("chatserv: master");
        const int exit_status = Master(*options, program, log_file).run();
        say_dropped_lines();
        return exit_status;
    } catch (const std::exception& failure) {
        if (log_file.in_use()) // main() says it on standard error as well
            events::failed(failure.what());
        throw;
    }
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
    settle_signals();
    panic_on_terminate();
    prepare_process_title(argc, argv);
    try {
        occupy_standard_streams();
        return finish_output(serve(argc, argv));
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
