#include "master/sources/program/file_feed.h"

#include "master/sources/source_word.h"
#include "shared/system/errors.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h> // some systems' <sys/event.h> needs it first
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

constexpr size_t read_bytes = 16 * 1024;

std::string folder_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

UniqueFd open_to_read(const std::string& path) {
    // With O_NONBLOCK, a FIFO of that name is not waited for.
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

bool is_readable(int fd) {
    pollfd asked{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, 0) == 1;
}

} // namespace

FileFeed::FileFeed(std::string path, const std::optional<FilePlace>& place, int lifeline) :
    path_(std::move(path)), lifeline_(lifeline), queue_(::kqueue()),
    folder_(open_to_read(folder_of(path_))) {
    if (!queue_)
        throw_errno("kqueue");
    if (!folder_)
        throw_errno(("the folder of " + path_).c_str());
    set_close_on_exec(queue_.get(), true);
    watch(folder_.get(), EVFILT_VNODE, NOTE_WRITE | NOTE_DELETE | NOTE_RENAME);
    watch(lifeline_, EVFILT_READ, 0);
    open_at(From::end, place);
}

void FileFeed::watch(int fd, int16_t filter, uint32_t fflags) {
    struct kevent change {};
    EV_SET(&change, static_cast<uintptr_t>(fd), filter, EV_ADD | EV_CLEAR, fflags, 0, nullptr);
    if (::kevent(queue_.get(), &change, 1, nullptr, 0, nullptr) == -1)
        throw_errno("watching the file");
}

// Watched before it is read: what is appended in between is told of.
void FileFeed::open_at(From from, const std::optional<FilePlace>& place) {
    UniqueFd file = open_to_read(path_);
    if (!file) {
        if (errno == ENOENT) { // the folder tells of it
            if (place)
                place_ = *place;
            return;
        }
        throw_errno("opening");
    }
    struct stat status {};
    if (::fstat(file.get(), &status) == -1)
        throw_errno("fstat");
    if (!S_ISREG(status.st_mode))
        throw_error(EINVAL, "is not a regular file");
    watch(file.get(), EVFILT_VNODE,
        NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_DELETE | NOTE_RENAME);
    const auto device = static_cast<uint64_t>(status.st_dev);
    const auto inode = static_cast<uint64_t>(status.st_ino);
    const auto size = static_cast<uint64_t>(status.st_size);
    uint64_t offset = from == From::end ? size : 0;
    if (place) // another file has taken the name since, or this one was truncated
        offset = place->device == device && place->inode == inode && place->offset <= size
                     ? place->offset
                     : 0;
    if (::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) == -1)
        throw_errno("lseek");
    file_ = std::move(file);
    place_ = {.device = device, .inode = inode, .offset = offset, .fed = fed_};
}

// Said before a byte of that place is fed: the master then knows of every byte that is relayed
// where it stands.
void FileFeed::say_place() const {
    (void)say_word(lifeline_, SourceWord::Kind::place, place_.text());
}

// A new master asks for the place; the end of file says that no process of the server is left.
bool FileFeed::server_is_there() const {
    if (!is_readable(lifeline_))
        return true;
    char question = 0;
    if (::recv(lifeline_, &question, 1, 0) <= 0)
        return false;
    say_place();
    return true;
}

// False where nobody is to be fed any more.
bool FileFeed::pass_on(int relay, const char* bytes, size_t size) {
    while (size > 0) {
        const ssize_t put = ::write(relay, bytes, size);
        if (put > 0) {
            bytes += put;
            fed_ += static_cast<uint64_t>(put);
            size -= static_cast<size_t>(put);
            continue;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return false;
        std::array<pollfd, 2> asked{{{.fd = relay, .events = POLLOUT, .revents = 0},
            {.fd = lifeline_, .events = POLLIN, .revents = 0}}};
        (void)::poll(asked.data(), asked.size(), -1);
        if (asked[1].revents != 0 && !server_is_there())
            return false;
    }
    return true;
}

// False where nobody is to be fed any more, or the file cannot be read: `error_`.
bool FileFeed::copy_all(int relay) {
    std::array<char, read_bytes> bytes{};
    while (file_) {
        const ssize_t got = ::read(file_.get(), bytes.data(), bytes.size());
        if (got == 0)
            return true;
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1) {
            error_ = std::strerror(errno);
            return false;
        }
        if (!pass_on(relay, bytes.data(), static_cast<size_t>(got)))
            return false;
    }
    return true;
}

// Looks which file has the name now. `more`: there is more to read in the one that is open.
FileFeed::Look FileFeed::look_at_name() {
    struct stat named {};
    if (::stat(path_.c_str(), &named) == -1) {
        if (errno == ENOENT)
            return Look::nothing; // the former one may be written to yet
        error_ = std::strerror(errno);
        return Look::failed;
    }
    struct stat held {};
    if (file_ && ::fstat(file_.get(), &held) == 0 && held.st_dev == named.st_dev &&
        held.st_ino == named.st_ino) {
        if (held.st_size >= ::lseek(file_.get(), 0, SEEK_CUR))
            return Look::nothing;
        (void)::lseek(file_.get(), 0, SEEK_SET); // it was truncated
        place_.offset = 0;
        place_.fed = fed_;
        say_place();
        return Look::more;
    }
    return Look::replaced;
}

// Until something has changed. False where nobody is to be fed any more.
bool FileFeed::wait(int relay) {
    struct kevent event {};
    (void)::kevent(queue_.get(), nullptr, 0, &event, 1, nullptr);
    if (!server_is_there())
        return false;
    if (!is_readable(relay))
        return true;
    std::array<char, 256> notice{}; // the relay sends nothing else to a client that only speaks
    return ::recv(relay, notice.data(), notice.size(), 0) > 0;
}

std::string FileFeed::run(int relay) {
    try {
        watch(relay, EVFILT_READ, 0);
        for (;;) {
            if (!copy_all(relay))
                return error_;
            const Look look = look_at_name();
            if (look == Look::failed)
                return error_;
            if (look == Look::nothing && !wait(relay))
                return "";
            if (look != Look::replaced)
                continue;
            // Once more: for what was written before the next file took the name.
            if (!copy_all(relay))
                return error_;
            open_at(From::beginning);
            say_place();
        }
    } catch (const std::system_error& failure) {
        return failure.what();
    }
}

} // namespace chatserv
