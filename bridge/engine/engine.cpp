#include "bridge/engine/engine.h"

namespace chatserv {

std::string_view name_of(LinkState state) {
    switch (state) {
    case LinkState::connecting:
        return "connecting";
    case LinkState::waiting:
        return "waiting";
    case LinkState::absent:
        return "absent";
    case LinkState::delivering:
        return "delivering";
    }
    return "unknown";
}

} // namespace chatserv
