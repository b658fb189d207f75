// Systems without confinement, and builds that were configured without it.
#include "shared/confinement/confinement.h"

namespace chatserv {

Confinement confine(Duty /*duty*/) {
    return Confinement::not_built;
}

void confine_log(int /*fd*/) {}

} // namespace chatserv
