// The build of a program: what has to be the same in two programs that share the segment. The
// master asks a program for it that is installed separately, before it relies on it.
//
// The program is started with two arguments: build_word, and the number of an inherited descriptor.
// It writes its build there, as text_of() makes it, and ends with EX_OK.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

inline constexpr const char* build_word = "say-build";

struct ProgramBuild {
    uint32_t layout;     // layout_version of shared/segment/layout.h
    std::string version; // program_version()

    bool operator==(const ProgramBuild&) const = default;
};

[[nodiscard]] ProgramBuild own_build();

// "14 0.1.0", and a newline.
[[nodiscard]] std::string text_of(const ProgramBuild& build);
// The same the other way round. Nothing if the text is anything else.
[[nodiscard]] std::optional<ProgramBuild> build_in(std::string_view text);

} // namespace chatserv
