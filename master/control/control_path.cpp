#include "master/control/control_path.h"

#include "shared/ipc/unix_socket.h"
#include "shared/system/whole_number.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr std::string_view name_begin = "chatserv-";
constexpr std::string_view name_end = ".sock";

// A relative name would be another folder for the server than for those that look for it.
std::string absolute_folder(const char* variable) {
    const char* const folder = std::getenv(variable);
    return folder != nullptr && *folder == '/' ? folder : "";
}

std::string path_in(const std::string& folder, std::string_view name) {
    std::string path = folder;
    path += '/';
    path += name;
    return path;
}

bool is_folder(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_folder_of(const std::string& path, uid_t user) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == user;
}

// The pid that `text` is, if it is one and is written as to_string() does.
std::optional<pid_t> pid_of(std::string_view text) {
    const auto pid = whole_number<pid_t>(text);
    return pid && *pid >= 1 && text == std::to_string(*pid) ? pid : std::nullopt;
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), ::closedir);
    while (stream) {
        const dirent* const entry = ::readdir(stream.get());
        if (entry == nullptr)
            break;
        names.emplace_back(entry->d_name);
    }
    return names;
}

// Those that a server can use, best first; not all of them are there.
std::vector<std::string> folders_to_use(const Surroundings& surroundings) {
    if (!surroundings.control_dir.empty())
        return {surroundings.control_dir};
    std::vector<std::string> folders;
    for (const std::string& run : surroundings.run) {
        if (!is_folder(run))
            continue;
        if (is_folder_of(run + "/chatserv", surroundings.user))
            folders.push_back(run + "/chatserv");
        folders.push_back(run);
        break;
    }
    if (is_folder_of(surroundings.xdg_runtime_dir, surroundings.user))
        folders.push_back(surroundings.xdg_runtime_dir);
    if (!surroundings.tmpdir.empty())
        folders.push_back(surroundings.tmpdir);
    folders.push_back(surroundings.tmp);
    return folders;
}

} // namespace

Surroundings Surroundings::of_this_process() {
    const char* const control_dir = std::getenv("CHATSERV_CONTROL_DIR");
    return {.user = ::geteuid(),
        .control_dir = control_dir == nullptr ? "" : control_dir,
        .xdg_runtime_dir = absolute_folder("XDG_RUNTIME_DIR"),
        .tmpdir = absolute_folder("TMPDIR")};
}

std::string control_name_of(pid_t pid) {
    return std::string(name_begin) + std::to_string(pid) + std::string(name_end);
}

std::optional<pid_t> pid_in_control_name(std::string_view name) {
    if (!name.starts_with(name_begin) || !name.ends_with(name_end) ||
        name.size() < name_begin.size() + name_end.size())
        return std::nullopt;
    name.remove_prefix(name_begin.size());
    name.remove_suffix(name_end.size());
    return pid_of(name);
}

std::string default_control_path(const Surroundings& surroundings, pid_t pid) {
    const std::vector<std::string> folders = folders_to_use(surroundings);
    for (const std::string& folder : folders) {
        std::string path = folder + "/" + control_name_of(pid);
        if (path.size() <= socket_path_bytes_max && is_folder(folder) &&
            ::access(folder.c_str(), W_OK | X_OK) == 0)
            return path;
    }
    return folders.back() + "/" + control_name_of(pid); // listening there says what is wrong
}

std::vector<std::string> control_folders(const Surroundings& surroundings) {
    std::vector<std::string> candidates = folders_to_use(surroundings);
    if (surroundings.control_dir.empty())
        for (const std::string& run : surroundings.run)
            candidates.push_back(run + "/user/" + std::to_string(surroundings.user));
    std::vector<std::string> folders;
    std::vector<FileIdentity> seen;
    for (const std::string& candidate : candidates) {
        // The same folder can have several names: /var/run is often a link to /run.
        const auto file = identity_of(candidate + "/.");
        if (!file || std::find(seen.begin(), seen.end(), *file) != seen.end())
            continue;
        seen.push_back(*file);
        folders.push_back(candidate);
    }
    return folders;
}

std::vector<ControlFile> control_files_in(const std::string& folder) {
    std::vector<ControlFile> files;
    for (const std::string& name : names_in(folder)) {
        const auto pid = pid_in_control_name(name);
        if (!pid)
            continue;
        std::string path = path_in(folder, name);
        struct stat info {};
        if (::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode))
            files.push_back({.pid = *pid, .path = std::move(path), .owner = info.st_uid});
    }
    std::sort(files.begin(), files.end(),
        [](const ControlFile& a, const ControlFile& b) { return a.pid < b.pid; });
    return files;
}

void remove_abandoned_controls(const std::string& folder, uid_t user) {
    for (const ControlFile& file : control_files_in(folder))
        if (file.owner == user)
            (void)remove_abandoned(file.path);
    // A server that starts does not listen yet under such a name, so its pid decides as well.
    for (const std::string& name : names_in(folder)) {
        if (!name.starts_with(unfinished_socket_prefix))
            continue;
        const auto pid = pid_of(std::string_view(name).substr(unfinished_socket_prefix.size()));
        const std::string path = path_in(folder, name);
        struct stat info {};
        if (pid && ::kill(*pid, 0) == -1 && errno == ESRCH && ::lstat(path.c_str(), &info) == 0 &&
            info.st_uid == user && is_abandoned(path))
            ::unlink(path.c_str());
    }
}

} // namespace chatserv
