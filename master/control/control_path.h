// Where control sockets are, unless --control says otherwise: `chatserv-PID.sock` in the first of a
// few folders that this user can write to. A command that looks for a server looks in all of them,
// since the server's environment can differ from its own.
//
//     $CHATSERV_CONTROL_DIR     this one alone, if it is set
//     /run/chatserv             if it belongs to this user: a service manager makes it
//     /run, or else /var/run    for root
//     $XDG_RUNTIME_DIR          if it belongs to this user
//     /run/user/UID             searched, but not used: it is removed when its user logs out
//     $TMPDIR, then /tmp
//
// Root's folders come before $XDG_RUNTIME_DIR, because that variable is set when an administrator
// logs in and not set for a service.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// What the choice of the folder depends on. Empty: not set.
struct Surroundings {
    uid_t user = 0;
    std::string control_dir{};
    std::string xdg_runtime_dir{};
    std::string tmpdir{};
    std::vector<std::string> run{"/run", "/var/run"};
    std::string tmp = "/tmp";

    // geteuid(2) and the environment.
    [[nodiscard]] static Surroundings of_this_process();
};

// The path at which the server with this pid puts its socket.
[[nodiscard]] std::string default_control_path(const Surroundings& surroundings, pid_t pid);

// The folders to look in for servers, the likeliest first: each one once, and only those that
// exist.
[[nodiscard]] std::vector<std::string> control_folders(const Surroundings& surroundings);

[[nodiscard]] std::string control_name_of(pid_t pid);
// The pid in such a name, which has to be of exactly that form.
[[nodiscard]] std::optional<pid_t> pid_in_control_name(std::string_view name);

struct ControlFile {
    pid_t pid; // by its name
    std::string path;
    uid_t owner;
};
// The sockets in the folder with such a name, without symbolic links.
[[nodiscard]] std::vector<ControlFile> control_files_in(const std::string& folder);

// Removes from the folder the sockets of dead servers of this user: those at which no server
// listens, and those that were never finished (unix_socket.h).
void remove_abandoned_controls(const std::string& folder, uid_t user);

} // namespace chatserv
