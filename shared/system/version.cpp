#include "shared/system/version.h"

#include "config.h"

namespace chatserv {

const char* program_version() {
    return CHATSERV_VERSION;
}

} // namespace chatserv
