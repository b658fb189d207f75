#include "master/upgrade/become_program.h"

#include "config.h"
#include "shared/system/open_descriptors.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

// Not every system's <unistd.h> declares it.
// NOLINTNEXTLINE(readability-redundant-declaration)
extern char** environ;

namespace chatserv {

namespace {

std::vector<OpenDescriptor> all_descriptors() {
    return open_descriptors(STDERR_FILENO + 1, descriptor_numbers_end());
}

void pass_on_descriptors(const Ledger& ledger) {
    for (const OpenDescriptor& descriptor : all_descriptors()) {
        const bool is_holding = std::ranges::any_of(ledger.holdings(),
            [&](const HoldingRecord& record) { return number_of(record.fd) == descriptor.fd; });
        if (descriptor.is_socket || is_holding)
            (void)::fcntl(descriptor.fd, F_SETFD, 0);
    }
}

// The words of the command line, as execve(2) takes them.
class CommandWords {
public:
    CommandWords(std::string name, int ledger) :
        words_{std::move(name), take_over_word, std::to_string(ledger)} {}

    [[nodiscard]] std::array<char*, 4> argv() {
        return {words_[0].data(), words_[1].data(), words_[2].data(), nullptr};
    }

private:
    std::array<std::string, 3> words_;
};

} // namespace

int become_program_at(const std::string& path, const Ledger& ledger) {
    CommandWords words(path, ledger.fd());
    pass_on_descriptors(ledger);
    ::execve(path.c_str(), words.argv().data(), environ);
    return errno;
}

int become_program_of([[maybe_unused]] int fd, [[maybe_unused]] const std::string& name,
    [[maybe_unused]] const Ledger& ledger) {
#ifdef HAVE_FEXECVE
    CommandWords words(name, ledger.fd());
    pass_on_descriptors(ledger);
    ::fexecve(fd, words.argv().data(), environ);
    return errno;
#else
    return ENOSYS;
#endif
}

void keep_descriptors_from_children() {
    for (const OpenDescriptor& descriptor : all_descriptors())
        (void)::fcntl(descriptor.fd, F_SETFD, FD_CLOEXEC);
}

} // namespace chatserv
