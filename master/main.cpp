// chatserv: the master's program.
#include "master/chaos.h"
#include "master/descriptor_limit.h"
#include "master/failure.h"
#include "master/master.h"
#include "master/options.h"
#include "master/stats.h"
#include "master/worker_program.h"
#include "master/worker_user.h"
#include "shared/logging.h"
#include "shared/process_title.h"
#include "shared/standard_streams.h"

#include <cstdio>
#include <exception>
#include <string_view>
#include <sysexits.h>
#include <system_error>

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
    set_up_logging("master", options->log_level, options->log_format);
    ensure_descriptor_limit(*options);
    const WorkerProgram program(argc > 0 ? argv[0] : ""); // execve(2) allows none
    set_process_title("chatserv: master");
    return Master(*options, program).run();
}

// Whatever ends the server is one line that says why.
int fail(int exit_status, const char* what) {
    std::fprintf(stderr, "chatserv: %s\n", what);
    return exit_status;
}

} // namespace

int main(int argc, char** argv) {
    prepare_process_title(argc, argv);
    try {
        occupy_standard_streams();
        return serve(argc, argv);
    } catch (const Failure& failure) {
        return fail(failure.exit_status(), failure.what());
    } catch (const std::system_error& failure) {
        return fail(EX_OSERR, failure.what());
    } catch (const std::exception& failure) {
        return fail(EX_SOFTWARE, failure.what());
    }
}
