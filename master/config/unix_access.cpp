#include "master/config/unix_access.h"

#include "master/config/option_values.h"
#include "master/config/setting.h"
#include "master/config/start_step.h"

#include <grp.h>

namespace chatserv {

namespace {

// `text` is a name, or else a number, as for chgrp(1). The look-up is a step of the start, because
// the group database may ask a service on another machine.
std::optional<gid_t> find_group(const std::string& text) {
    const StartStep step("looking up the group \"" + text + '"',
        "check that the group database responds (nsswitch.conf)");
    if (const group* const entry = ::getgrnam(text.c_str()))
        return entry->gr_gid;
    const auto number = count_of(text);
    if (!number || *number >= static_cast<uint64_t>(static_cast<gid_t>(-1)))
        return std::nullopt;
    return static_cast<gid_t>(*number);
}

} // namespace

void choose_unix_group(Options& options) {
    if (options.unix_group.empty())
        return;
    options.unix_gid = find_group(options.unix_group);
    if (!options.unix_gid)
        reject_value({options.unix_group_place, options.unix_group},
            "the name or number of a group on this system");
}

void set_unix_access(Options& options) {
    for (ListenAddress& listen : options.listen)
        listen.access = {.mode = static_cast<mode_t>(options.unix_mode), .group = options.unix_gid};
}

} // namespace chatserv
