// chatserv: the master's program.
#include "master/chaos.h"
#include "master/descriptor_limit.h"
#include "master/failure.h"
#include "master/log_file.h"
#include "master/master.h"
#include "master/options.h"
#include "master/stats.h"
#include "master/worker_program.h"
#include "master/worker_user.h"
#include "shared/fd.h"
#include "shared/log_sink.h"
#include "shared/logging.h"
#include "shared/panic.h"
#include "shared/process_title.h"
#include "shared/signals.h"

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

namespace {

using namespace chatserv;

int serve(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "chaos")
        return run_chaos(argc - 1, argv + 1);
    if (argc > 1 && std::string_view(argv[1]) == "stats")
        return run_stats(argc - 1, argv + 1);
    auto options = parse_options(argc, argv);
    if (!options)
        return EX_OK;
    choose_worker_user(*options);
    if (options->check_config) {
        std::fputs(describe(*options).c_str(), stdout);
        return EX_OK;
    }
    LogFile log_file(options->log_file);
    set_up_logging("master", options->log_level, options->log_format);
    try {
        ensure_descriptor_limit(*options);
        const WorkerProgram program(argv[0]);
        set_process_title("chatserv: master");
        const int exit_status = Master(*options, program, log_file).run();
        say_dropped_lines();
        return exit_status;
    } catch (const std::exception& failure) {
        if (log_file.in_use()) // and below to whoever started the server
            log_error("failed", failure.what());
        throw;
    }
}

// Whatever ends the server is one line that says why.
int fail(int exit_status, const char* what) {
    say_beside_log(what);
    return exit_status;
}

bool has_no_reader(int fd) {
    pollfd asked{.fd = fd, .events = POLLOUT, .revents = 0};
    return ::poll(&asked, 1, 0) == 1 && (asked.revents & (POLLERR | POLLHUP)) != 0;
}

// Whether what was printed has arrived is known only now, and of an earlier failure only that there
// was one. That the reader has gone (EPIPE) is its own wish, and no line is said of it.
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
    fill_standard_streams();
    panic_on_terminate();
    prepare_process_title(argc, argv);
    try {
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
