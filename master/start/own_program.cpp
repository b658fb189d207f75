#include "master/start/own_program.h"

#include "config.h"

#include <climits>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#if defined(HAVE_GETAUXVAL) || defined(HAVE_ELF_AUX_INFO)
#include <sys/auxv.h>
#endif
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

namespace fs = std::filesystem;

// What execve(2) was told, where the kernel keeps that for the program; empty elsewhere. Needs no
// /proc.
std::string program_by_auxiliary_vector() {
#if defined(HAVE_GETAUXVAL) && defined(HAVE_AT_EXECFN)
    // NOLINTNEXTLINE(performance-no-int-to-ptr): getauxval(3) returns every value as a number.
    const auto* const name = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    return name == nullptr ? "" : name;
#elif defined(HAVE_ELF_AUX_INFO) && defined(HAVE_AT_EXECPATH)
    char name[PATH_MAX] = {};
    return ::elf_aux_info(AT_EXECPATH, name, sizeof name) == 0 ? name : "";
#else
    return "";
#endif
}

// The first program of this name on PATH; empty where there is none.
std::string found_on_path(const std::string& name) {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        std::string program = (fs::path(folder) / name).string();
        if (!name.empty() && ::access(program.c_str(), X_OK) == 0)
            return program;
    }
    return "";
}

} // namespace

std::vector<std::string> own_program_names(const std::string& argv0) {
    return {program_by_auxiliary_vector(),
        argv0.find('/') != std::string::npos ? argv0 : found_on_path(argv0)};
}

std::string own_program_path(const std::string& argv0) {
    std::error_code none;
    for (const std::string& name : own_program_names(argv0)) {
        if (name.find('/') == std::string::npos)
            continue;
        fs::path path = fs::absolute(name, none);
        if (path.string().find("..") == std::string::npos) // after a symbolic link, ".." leads on
            path = path.lexically_normal();
        if (::access(path.c_str(), X_OK) == 0)
            return path.string();
    }
    return "";
}

UniqueFd open_own_program(const std::string& path) {
    for (const char* const name : {"/proc/self/exe", "/proc/curproc/file", path.c_str()})
        if (UniqueFd program(::open(name, O_RDONLY | O_CLOEXEC)); program)
            return program;
    return {};
}

} // namespace chatserv
