#include "master/control/control_request.h"

#include "shared/system/whole_number.h"

#include <algorithm>
#include <iterator>

namespace chatserv {

namespace {

using Kind = ControlRequest::Kind;

enum class Operand { none, worker, worker_or_bridge, slot_or_none, user };

struct Verb {
    std::string_view word;
    Kind kind;
    Operand operand;
};
constexpr Verb verbs[] = {
    {"stats", Kind::stats, Operand::none},
    {"status", Kind::status, Operand::none},
    {"users", Kind::users, Operand::slot_or_none},
    {"kick", Kind::kick, Operand::user},
    {"events", Kind::events, Operand::none},
    {"upgrade", Kind::upgrade, Operand::none},
    {"upgrade-status", Kind::upgrade_status, Operand::none},
    {"reload", Kind::reload, Operand::none},
    {"reload-status", Kind::reload_status, Operand::none},
    {"kill", Kind::kill, Operand::worker_or_bridge},
    {"stop", Kind::stop, Operand::worker_or_bridge},
    {"drain", Kind::drain, Operand::worker},
    {"drain-end", Kind::end_drain, Operand::worker},
};

// Whether the words behind the verb are those that it takes; notes them in the request.
bool takes(ControlRequest& request, Operand operand, std::string_view words, bool stands_alone) {
    switch (operand) {
    case Operand::none:
        return stands_alone;
    case Operand::slot_or_none: {
        const auto slot = stands_alone ? std::optional(0U) : whole_number<uint32_t>(words);
        request.slot = slot.value_or(0);
        return slot.has_value();
    }
    case Operand::worker_or_bridge:
        request.bridge = words == "bridge";
        if (request.bridge)
            return true;
        [[fallthrough]];
    case Operand::worker: {
        const auto worker = whole_number<uint32_t>(words);
        request.worker = worker.value_or(0);
        return worker.has_value();
    }
    case Operand::user: {
        auto user = UserChoice::parse(words);
        request.user = user.value_or(UserChoice{});
        return user.has_value();
    }
    }
    return false;
}

} // namespace

const char* const control_requests =
    "stats, status, users [SLOT], kick USER, events, upgrade, upgrade-status, reload, "
    "reload-status, kill N|bridge, stop N|bridge, drain N or drain-end N";

std::optional<ControlRequest> parse_control_request(std::string_view line) {
    const size_t space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    const auto* const verb = std::find_if(std::begin(verbs), std::end(verbs),
        [&](const Verb& candidate) { return candidate.word == word; });
    if (verb == std::end(verbs))
        return std::nullopt;
    ControlRequest request{.kind = verb->kind};
    const bool stands_alone = space == std::string_view::npos;
    return takes(request, verb->operand, stands_alone ? "" : line.substr(space + 1), stands_alone)
               ? std::optional(request)
               : std::nullopt;
}

} // namespace chatserv
