#include "master/worker_user.h"

#include "master/failure.h"
#include "master/option_values.h"
#include "master/start_step.h"

#include <fmt/core.h>
#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr const char* user_by_default = "nobody";

// getpwnam(3), which may ask a service on another machine.
const passwd* look_up(const std::string& name) {
    const StartStep step(as_one_line("looking up the user \"" + name + '"'),
        "see whether the user database answers (nsswitch.conf)");
    return ::getpwnam(name.c_str());
}

} // namespace

void choose_worker_user(Options& options) {
    options.worker_uid = ::geteuid();
    options.worker_gid = ::getegid();
    const bool root = options.worker_uid == 0;
    const bool asked_for = !options.user.empty();
    if (!root && !asked_for)
        return;
    const std::string name = asked_for ? options.user : user_by_default;
    const passwd* const entry = look_up(name);
    if (entry == nullptr) {
        if (asked_for)
            refuse("--user", name, "the name of a user of this system");
        return;
    }
    if (!root && entry->pw_uid != options.worker_uid)
        throw Failure(EX_NOPERM,
            fmt::format("--user \"{}\": only root can become another user; start as root or leave "
                        "it out",
                name));
    options.user = name;
    options.user_by_default = !asked_for;
    options.worker_uid = entry->pw_uid;
    options.worker_gid = entry->pw_gid;
}

} // namespace chatserv
