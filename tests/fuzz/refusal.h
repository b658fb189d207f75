// The end of a case where a worker panics: a refusal with a message, which is no finding.
#pragma once

namespace chatserv::fuzz {

struct Refusal {
    const char* what;
};

} // namespace chatserv::fuzz
