// Linux: what the bridge may call beside what every confined process may (confinement_linux.cpp).
#pragma once

#include "shared/confinement/seccomp_filter_linux.h"

namespace chatserv::seccomp {

void allow_bridging(SeccompFilter& filter);

} // namespace chatserv::seccomp
