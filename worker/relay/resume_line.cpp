#include "worker/relay/resume_line.h"

#include "shared/system/whole_number.h"

#include <fmt/format.h>

namespace chatserv {

namespace {

constexpr std::string_view command = "resume";
constexpr size_t life_digits = 16;

// What follows "resume ".
std::optional<ResumeRequest> request_from(std::string_view where) {
    if (where == "now")
        return ResumeRequest{};
    if (where == "oldest")
        return ResumeRequest{.from = ResumeRequest::From::oldest};
    ResumeRequest request{.from = ResumeRequest::From::offset};
    if (const size_t colon = where.find(':'); colon != std::string_view::npos) {
        request.life = whole_number<uint64_t>(where.substr(0, colon), 16);
        if (colon != life_digits || !request.life)
            return std::nullopt;
        where.remove_prefix(colon + 1);
    }
    const std::optional<uint64_t> offset = whole_number<uint64_t>(where, 10);
    if (!offset)
        return std::nullopt;
    request.offset = *offset;
    return request;
}

std::optional<ResumeRequest> request_of(std::string_view line) {
    if (line.empty() || line == command)
        return ResumeRequest{};
    if (!line.starts_with(command) || line[command.size()] != ' ')
        return std::nullopt;
    return request_from(line.substr(command.size() + 1));
}

} // namespace

FirstLine parse_first_line(std::string_view received) {
    const size_t end = received.substr(0, resume_line_bytes_max).find('\n');
    if (end == std::string_view::npos)
        return {received.size() < resume_line_bytes_max ? FirstLine::State::incomplete
                                                        : FirstLine::State::wrong};
    std::string_view line = received.substr(0, end);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    const std::optional<ResumeRequest> request = request_of(line);
    if (!request)
        return {FirstLine::State::wrong};
    return {FirstLine::State::whole, *request};
}

AnswerLine::AnswerLine(Answer answer, uint64_t life, uint64_t offset) {
    if (answer == Answer::none)
        return;
    const std::string_view word = answer == Answer::gone ? "gone" : "from";
    bytes_ =
        fmt::format_to_n(text_.data(), text_.size(), "{} {:016x}:{}\n", word, life, offset).size;
}

} // namespace chatserv
