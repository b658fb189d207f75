#include "master/bridge/bridge_resources.h"

#include "config.h"
#include "master/bridge/bridge_build.h"
#include "master/ledger/holdings.h"
#include "shared/system/failure.h"
#include "shared/system/fd.h"
#include "shared/system/version.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

constexpr const char* program_name = "chatserv-bridge";

#ifdef HAVE_BRIDGE
constexpr bool is_built = true;
#else
constexpr bool is_built = false;
#endif

void check_file(const char* flag, const std::string& path) {
    if (path.empty())
        return;
    // With O_NONBLOCK, a FIFO without a writer is opened at once.
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file)
        throw Failure(EX_NOINPUT,
            fmt::format("{} \"{}\": cannot be read: {}", flag, path, std::strerror(errno)));
}

std::optional<ProgramFile> find_bridge_program(const Options& options, const std::string& argv0) {
    if (!options.joined())
        return std::nullopt;
    if (!is_built)
        throw Failure(EX_UNAVAILABLE,
            "this chatserv was built without --join, for lack of libnats: leave the option out, or "
            "build chatserv with -Dbridge=enabled");
    return ProgramFile(program_name, argv0,
        fmt::format("install that of chatserv {}, a package of its own", program_version()));
}

} // namespace

std::optional<ProgramFile> fitting_bridge_program(
    const Options& options, const std::string& argv0) {
    std::optional<ProgramFile> program = find_bridge_program(options, argv0);
    if (program)
        check_bridge_build(*program);
    return program;
}

BridgeResources get_bridge_resources(const Options& options, const std::string& argv0) {
    BridgeResources resources{.program = fitting_bridge_program(options, argv0)};
    check_file("--room-credentials", options.room_credentials);
    check_file("--room-ca", options.room_ca);
    check_file("--room-certificate", options.room_certificate);
    check_file("--room-key", options.room_key);
    return resources;
}

void note_bridge_resources(const BridgeResources& resources, const Ledger& ledger) {
    if (resources.wanted() && resources.program->fd() != -1)
        Holdings(ledger).note(Holding::bridge_program, 0, resources.program->fd());
}

BridgeResources resume_bridge_resources(
    const Options& options, const std::string& argv0, int former) {
    BridgeResources resources{};
    if (former != -1)
        resources.program.emplace(UniqueFd(former), program_name);
    else
        resources.program = find_bridge_program(options, argv0);
    return resources;
}

} // namespace chatserv
