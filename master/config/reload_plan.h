// What a reload changes: the options in force compared with those that were read again.
#pragma once

#include "master/config/options.h"
#include "master/config/table_room.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chatserv {

// Values as people read them: as in the configuration file, or the default in words. A long one is
// cut.
struct OptionChange {
    std::string option; // "stall-limit"
    std::string from;   // the value in force before
    std::string to;     // the value that was read
};

struct ReloadPlan {
    Options options;                     // in force after the reload
    std::vector<OptionChange> changed{}; // whose new value is in force then
    std::vector<OptionChange> kept{}; // whose former value is: the server has to be started again
};

// Compares all options; `wanted` as parse_options(), choose_worker_user() and resolve_listen() have
// left it, without a value of --listen where only the service manager says where to listen.
[[nodiscard]] ReloadPlan plan_reload(
    const Options& in_force, const Options& wanted, const TableRoom& room);

// How a reload ended.
struct ReloadReport {
    uint32_t number = 0;   // from 1
    std::string failure{}; // why nothing has changed, in one line; empty: the reload was made
    int exit_status = 0;   // sysexits(3) of that failure
    std::vector<OptionChange> changed{};
    std::vector<OptionChange> kept{};
};

} // namespace chatserv
