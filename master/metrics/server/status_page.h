// The status page: a page, its style and its script. They are the files beside this one; meson
// makes them part of the program (status_page.cpp.in). The script reads /metrics, as Prometheus
// does, and keeps what it has read for its plots.
#pragma once

#include <string>
#include <string_view>

namespace chatserv {

struct PageFile {
    std::string_view path;
    const char* type; // RFC 9110, 8.3
    std::string_view bytes;
};

// Null for a path that is no file of the page.
[[nodiscard]] const PageFile* page_file(std::string_view path);

} // namespace chatserv
