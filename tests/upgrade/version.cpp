// The version of the programs that tests upgrade to.
#include "shared/system/version.h"

namespace chatserv {

const char* program_version() {
    return "0.2.0-test";
}

} // namespace chatserv
