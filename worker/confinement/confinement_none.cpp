// Systems without confinement, and builds that were configured without it.
#include "worker/confinement/confinement.h"

namespace chatserv {

Confinement confine() {
    return Confinement::not_built;
}

void confine_log(int /*fd*/) {}

} // namespace chatserv
