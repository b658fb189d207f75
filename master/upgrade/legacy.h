// The legacy: what a process has to be told to go on with the server of another one, beyond ledger
// and segment. It is in memory that has a descriptor (a holding), and every program of this server
// reads it there. An upgrade does not read the configuration file again: the options in force stay
// in force.
//
// It is written at the start, and written anew by each reload that changes an option. The new one
// is noted beside the former one; the store of its number (StandingWords::options_number) puts it
// in force as a whole.
#pragma once

#include "master/config/options.h"
#include "master/config/reload_plan.h"
#include "master/ledger/ledger.h"
#include "master/sources/source_set.h"
#include "shared/system/fd.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chatserv {

// A listen socket in force.
struct ListenerNote {
    uint32_t number;        // Holding::listener
    std::string serves;     // the value of --listen; empty: no value asks for it
    Role role = Role::talk; // of its clients
    bool proxied = false;   // proxies connect to it
    // A socket unit wants the server to listen there, for clients of this role unless a value says
    // otherwise: no reload ends it.
    bool is_handed_over = false;
    Role handed_role = Role::talk;
};

struct Legacy {
    Options options;
    std::string program;        // own_program_path(), where the next version is looked for
    std::string control;        // path of the control socket; empty: none
    std::string why_no_account; // see Preparation
    // The words by which the server was started, the program's name first: a reload reads them
    // again.
    std::vector<std::string> command_line{};
    // A listen socket that the ledger notes and that is not here is to be closed.
    std::vector<ListenerNote> listeners{};
    // Those in force, and those that a reload had let go and that were not gone then.
    std::vector<NumberedSource> sources{};
    ReloadReport reload{}; // the reload that wrote this; number 0: the start did
};

// Throws MemoryRefused, std::system_error.
[[nodiscard]] UniqueFd write_legacy(const Legacy& legacy);

// Throws Failure(EX_CONFIG), in one line, for an option or a value that this program does not know,
// and Failure(EX_SOFTWARE) for memory that no chatserv has written. `fd` is borrowed.
[[nodiscard]] Legacy read_legacy(int fd);

// The descriptor of the legacy in force, as the ledger notes it; -1 for none.
[[nodiscard]] int legacy_in_force(const Ledger& ledger);

} // namespace chatserv
