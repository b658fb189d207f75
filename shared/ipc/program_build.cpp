#include "shared/ipc/program_build.h"

#include "shared/segment/layout.h"
#include "shared/system/printable_text.h"
#include "shared/system/version.h"
#include "shared/system/whole_number.h"

#include <fmt/core.h>

namespace chatserv {

ProgramBuild own_build() {
    return {.layout = layout_version, .version = program_version()};
}

std::string text_of(const ProgramBuild& build) {
    return fmt::format("{} {}\n", build.layout, build.version);
}

std::optional<ProgramBuild> build_in(std::string_view text) {
    if (!text.ends_with('\n'))
        return std::nullopt;
    text.remove_suffix(1);
    const size_t space = text.find(' ');
    const auto layout = whole_number<uint32_t>(text.substr(0, space));
    if (!layout || space == std::string_view::npos)
        return std::nullopt;
    const std::string_view version = text.substr(space + 1);
    if (version.empty() || !is_printable(version))
        return std::nullopt;
    return ProgramBuild{.layout = *layout, .version = std::string(version)};
}

} // namespace chatserv
