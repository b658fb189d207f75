// The log's events about the control socket. docs/operating.md lists them.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv::events {

// `trouble`: what is wrong with the path.
void no_control(const std::string& path, const std::string& trouble);
void control_made_anew(const std::string& path);
void control_lost(const std::string& path, const std::string& trouble);
void control_unwatched(const std::string& trouble);
// A process of another user asked; nothing: the system does not tell whose it was.
void control_refused(std::optional<uid_t> user);
// A client that watched events did not read them.
void control_cut_off();

} // namespace chatserv::events
