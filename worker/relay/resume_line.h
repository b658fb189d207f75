// What a client that resumes says first, and what it is told: one line each way (Role::resume).
//
//     resume                     from now on; an empty line and "resume now" mean the same
//     resume oldest              from the oldest byte that the log still holds
//     resume 12345               from this byte of the log on
//     resume LIFE:12345          the same, if the log is still the one of that name
//
// The answer names the log and the offset of the first byte that comes after the answer's end:
//
//     from LIFE:OFFSET           what was asked for
//     gone LIFE:OFFSET           the log does not hold that: this is the oldest byte that it holds
//
// LIFE is 16 hexadecimal digits, which no other log has. A reader that has counted the bytes since
// the answer can ask for LIFE:(OFFSET + bytes) when it comes back. An end of line is \n or \r\n.
//
// The first line comes from anybody, so its parsing is bounded, and fuzzed.
#pragma once

#include "shared/segment/layout.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chatserv {

// With its end. A longer first line is wrong.
inline constexpr size_t resume_line_bytes_max = 64;

struct ResumeRequest {
    enum class From : uint8_t { now, oldest, offset };
    From from = From::now;
    uint64_t offset = 0;            // if it is from an offset
    std::optional<uint64_t> life{}; // the log's, if the client says it

    bool operator==(const ResumeRequest&) const = default;
};

struct FirstLine {
    enum class State : uint8_t {
        incomplete, // its end has not come yet
        wrong,      // it is none of the lines above
        whole,
    };
    State state;
    ResumeRequest request{}; // of one that is whole
};

// `received`: what has come from the client so far.
[[nodiscard]] FirstLine parse_first_line(std::string_view received);

// The answer. `offset`: of the byte that the client is sent next.
class AnswerLine {
public:
    // Answer::none has no line: it is empty.
    AnswerLine(Answer answer, uint64_t life, uint64_t offset);

    [[nodiscard]] std::string_view text() const { return {text_.data(), bytes_}; }
    // What a client lacks that has been sent `bytes_written` bytes.
    [[nodiscard]] std::string_view rest(uint64_t bytes_written) const {
        return bytes_written < bytes_ ? text().substr(bytes_written) : std::string_view();
    }

private:
    std::array<char, resume_line_bytes_max> text_{};
    size_t bytes_ = 0;
};

} // namespace chatserv
