// Systems that have nothing of the kind, and builds that were asked to do without.
#include "worker/confinement/confinement.h"

namespace chatserv {

Confinement confine() {
    return Confinement::not_built;
}

void confine_log(int /*fd*/) {}

} // namespace chatserv
