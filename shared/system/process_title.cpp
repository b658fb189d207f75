#include "shared/system/process_title.h"

#include "config.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/types.h>
#include <unistd.h>
#include <vector>

// Not every system's <unistd.h> declares it.
// NOLINTNEXTLINE(readability-redundant-declaration)
extern char** environ;

namespace chatserv {

#ifdef HAVE_SETPROCTITLE

void prepare_process_title(int /*argc*/, char** /*argv*/) {}

void set_process_title(const std::string& title) {
    ::setproctitle("-%s", title.c_str());
}

#else

namespace {

char* title_begin = nullptr;
size_t title_bytes = 0;

} // namespace

void prepare_process_title(int argc, char** argv) {
    // The strings of argv and environ usually lie one after the other. The title uses the memory of
    // those that do.
    char* end = argv[0];
    // They stay known here: unsetenv(3) forgets the copy of a variable, and a leak checker would
    // take it for lost.
    static auto* const copies = new std::vector<char*>;
    for (int i = 0; i < argc && argv[i] == end; ++i)
        end += std::strlen(argv[i]) + 1;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        if (*variable == end)
            end += std::strlen(*variable) + 1;
        *variable = ::strdup(*variable);
        if (*variable == nullptr)
            std::abort();
        copies->push_back(*variable);
    }
    title_begin = argv[0];
    title_bytes = static_cast<size_t>(end - argv[0]);
}

void set_process_title(const std::string& title) {
    if (title_bytes == 0)
        return;
    const size_t length = std::min(title.size(), title_bytes - 1);
    std::copy_n(title.data(), length, title_begin);
    std::fill(title_begin + length, title_begin + title_bytes, '\0');
}

#endif

} // namespace chatserv
