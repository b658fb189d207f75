#include "shared/system/panic.h"

#include "shared/system/log_sink.h"

#include <cstdlib>
#include <exception>
#include <string>

namespace chatserv {

void panic(const char* what) {
    say_beside_log("panic: " + std::string(what) + " (this is a bug in chatserv)");
    std::abort();
}

void panic_on_terminate() {
    std::set_terminate([] {
        try {
            if (std::current_exception())
                std::rethrow_exception(std::current_exception());
        } catch (const std::exception& uncaught) {
            panic(uncaught.what());
        } catch (...) {
        }
        panic("std::terminate was called");
    });
}

} // namespace chatserv
