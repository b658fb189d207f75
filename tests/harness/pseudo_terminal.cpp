#include "tests/harness/pseudo_terminal.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv::test {

TerminalProgram::TerminalProgram(
    Loop& loop, const std::vector<std::string>& arguments, std::vector<std::string> environment) :
    Source(loop),
    terminal_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (!terminal_ || ::grantpt(terminal_.get()) != 0 || ::unlockpt(terminal_.get()) != 0)
        throw std::runtime_error("no pseudo-terminal");
    const winsize size{.ws_row = 24, .ws_col = 100};
    const UniqueFd other_end(::open(::ptsname(terminal_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!other_end || ::ioctl(other_end.get(), TIOCSWINSZ, &size) != 0)
        throw std::runtime_error("the pseudo-terminal cannot be opened");
    set_nonblocking(terminal_.get());
    std::vector<char*> words;
    for (const std::string& word : arguments)
        words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == -1)
        throw std::runtime_error("fork");
    if (pid_ != 0)
        return;
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(other_end.get(), stream);
    for (std::string& variable : environment)
        ::putenv(variable.data());
    ::execv(words[0], words.data());
    ::_exit(127);
}

TerminalProgram::~TerminalProgram() {
    if (pid_ == 0)
        return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void TerminalProgram::type(std::string_view keys) const {
    if (::write(terminal_.get(), keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
        throw std::runtime_error("the pseudo-terminal does not take keys");
}

const std::string& TerminalProgram::wait_for(std::string_view text) {
    loop().wait_until([&] { return written_.find(text, seen_) != std::string::npos; }, text);
    seen_ = written_.find(text, seen_) + text.size();
    return written_;
}

int TerminalProgram::wait_for_exit() {
    int status = 0;
    pid_t exited = 0;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while ((exited = ::waitpid(pid_, &status, WNOHANG)) == 0 &&
           std::chrono::steady_clock::now() < deadline)
        loop().turn(std::chrono::milliseconds(10));
    if (exited != pid_)
        throw std::runtime_error("the program in the terminal did not end");
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Linux reports EIO once no process has the other end open.
void TerminalProgram::ready(short /*events*/) {
    char bytes[4096];
    const ssize_t got = ::read(terminal_.get(), bytes, sizeof bytes);
    if (got > 0)
        written_.append(bytes, static_cast<size_t>(got));
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        terminal_.reset();
}

} // namespace chatserv::test
