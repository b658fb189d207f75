#include "master/config/worker_user.h"

#include "master/config/option_values.h"
#include "master/config/setting.h"
#include "master/config/start_step.h"
#include "shared/system/failure.h"

#include <fmt/core.h>
#include <optional>
#include <pwd.h>
#include <string_view>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr const char* user_by_default = "nobody";

struct Ids {
    uid_t uid;
    gid_t gid;
};

// The largest number means "no id": setreuid(2).
template <typename Id>
std::optional<Id> id_of(std::string_view text) {
    const auto number = count_of(text);
    if (!number || *number >= static_cast<uint64_t>(static_cast<Id>(-1)))
        return std::nullopt;
    return static_cast<Id>(*number);
}

std::optional<Ids> ids_of(const passwd* entry) {
    if (entry == nullptr)
        return std::nullopt;
    return Ids{entry->pw_uid, entry->pw_gid};
}

// `text` is a name, or else a number, as for chown(1). A number that is not in the user database,
// as is usual in a container, needs its group: UID:GID. The look-up is a step of the start, because
// the user database may ask a service on another machine.
std::optional<Ids> find_user(const std::string& text) {
    const StartStep step("looking up the user \"" + text + '"',
        "check that the user database responds (nsswitch.conf)");
    if (const auto ids = ids_of(::getpwnam(text.c_str())))
        return ids;
    const size_t colon = text.find(':');
    const auto uid = id_of<uid_t>(std::string_view(text).substr(0, colon));
    if (!uid)
        return std::nullopt;
    if (colon == std::string::npos)
        return ids_of(::getpwuid(*uid));
    const auto gid = id_of<gid_t>(std::string_view(text).substr(colon + 1));
    return gid ? std::optional(Ids{*uid, *gid}) : std::nullopt;
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
    const auto ids = find_user(name);
    if (!ids) {
        if (asked_for)
            reject_value({options.user_place, name},
                "the name or number of a user on this system, or UID:GID of another");
        return;
    }
    const bool other_group = name.find(':') != std::string::npos && ids->gid != options.worker_gid;
    if (!root && (ids->uid != options.worker_uid || other_group))
        throw Failure(EX_NOPERM,
            fmt::format(
                "{} \"{}\": only root can become another user; start as root, or leave this "
                "out",
                options.user_place.text, name));
    options.user = name;
    options.user_by_default = !asked_for;
    options.worker_uid = ids->uid;
    options.worker_gid = ids->gid;
}

} // namespace chatserv
