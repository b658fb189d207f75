// The first line of a client that resumes, as anybody may send it. However it is cut, what it says
// is known as soon as its end is there, and not before; and what is understood can be said again.
//
// Input: what the client sends.
#include "tests/fuzz/input.h"
#include "worker/relay/resume_line.h"

#include <fmt/core.h>
#include <string>

namespace chatserv::fuzz {

namespace {

std::string line_of(const ResumeRequest& request) {
    switch (request.from) {
    case ResumeRequest::From::now:
        return "resume\n";
    case ResumeRequest::From::oldest:
        return "resume oldest\n";
    case ResumeRequest::From::offset:
        break;
    }
    return request.life ? fmt::format("resume {:016x}:{}\n", *request.life, request.offset)
                        : fmt::format("resume {}\n", request.offset);
}

void read_first_line(std::string_view sent) {
    using State = FirstLine::State;
    const FirstLine all = parse_first_line(sent);
    const size_t end = sent.find('\n');
    const bool has_end = end < resume_line_bytes_max;
    const bool is_long = sent.size() >= resume_line_bytes_max;
    must((all.state == State::incomplete) == (!has_end && !is_long),
        "a line is incomplete that has an end, or is too long");
    for (size_t length = 0; length <= sent.size() && length <= resume_line_bytes_max; ++length) {
        const FirstLine part = parse_first_line(sent.substr(0, length));
        if (has_end && length > end)
            must(part.state == all.state && part.request == all.request,
                "what follows a line changes what it says");
        else
            must(part.state == State::incomplete || length == resume_line_bytes_max,
                "a line was judged before its end");
    }
    if (all.state != State::whole)
        return;
    const FirstLine again = parse_first_line(line_of(all.request));
    must(again.state == State::whole && again.request == all.request,
        "a request cannot be said again");
}

} // namespace

} // namespace chatserv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    chatserv::fuzz::read_first_line({reinterpret_cast<const char*>(data), size});
    return 0;
}
