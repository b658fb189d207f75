// The log's events about the control socket. docs/operating.md lists them.
#pragma once

#include <string>

namespace chatserv::events {

// `trouble`: what is wrong with the path.
void no_control(const std::string& path, const std::string& trouble);
void control_made_anew(const std::string& path);
void control_lost(const std::string& path, const std::string& trouble);
void control_unwatched(const std::string& trouble);

} // namespace chatserv::events
