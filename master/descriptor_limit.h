// Descriptors: whether there can be enough of them.
#pragma once

#include "master/options.h"

namespace chatserv {

// Raises RLIMIT_NOFILE to what the options need, the hard limit too where that is permitted. The
// workers inherit it. Throws Failure(EX_OSERR) where the system does not give as many.
void ensure_descriptor_limit(const Options& options);

} // namespace chatserv
