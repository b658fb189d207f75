// A name server of the test, which answers when it is told to: RFC 1035, over UDP.
#pragma once

#include "shared/system/fd.h"
#include "tests/harness/endpoint.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace chatserv::test {

// On an address of its own in the loopback network, and port 53.
class NameServer {
public:
    NameServer() {
        // Tests that run at once have an address each.
        const auto pid = static_cast<unsigned>(::getpid());
        address_ =
            "127.53." + std::to_string(pid / 254 % 254 + 1) + "." + std::to_string(pid % 254 + 1);
        socket_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM, 0));
        set_close_on_exec(socket_.get(), true);
        set_nonblocking(socket_.get());
        const Endpoint place(address_ + ":53");
        if (::bind(socket_.get(), place.address(), place.length()) == -1)
            why_not_ = std::string("port 53 of the loopback: ") + std::strerror(errno);
    }

    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] const std::string& why_not() const { return why_not_; }

    // Takes the questions that have come. Returns whether there was one so far.
    bool was_asked() {
        for (;;) {
            Question question{};
            question.length = sizeof question.from;
            std::array<char, 512> bytes{};
            const ssize_t size = ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0,
                reinterpret_cast<sockaddr*>(&question.from), &question.length);
            if (size < 0)
                return !questions_.empty();
            question.bytes.assign(bytes.data(), static_cast<std::size_t>(size));
            questions_.push_back(question);
        }
    }

    // RFC 1035: every name that was asked for is 127.0.0.1, and has no other address.
    void answer_all() const {
        for (const Question& question : questions_) {
            std::string answer = question.bytes;
            answer[2] = '\x81';                            // a response; recursion was desired
            answer[3] = '\x80';                            // and is available; no error
            const std::size_t end = answer.find('\0', 12); // of the name
            const bool is_for_ipv4 = answer.substr(end + 1, 2) == std::string("\0\1", 2);
            answer.resize(end + 5);
            answer.replace(6, 6, std::string(is_for_ipv4 ? "\0\1\0\0\0\0" : "\0\0\0\0\0\0", 6));
            if (is_for_ipv4)
                answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", 16);
            (void)::sendto(socket_.get(), answer.data(), answer.size(), 0,
                reinterpret_cast<const sockaddr*>(&question.from), question.length);
        }
    }

private:
    struct Question {
        sockaddr_storage from;
        socklen_t length;
        std::string bytes;
    };

    std::string address_{};
    UniqueFd socket_{};
    std::string why_not_{};
    std::vector<Question> questions_{};
};

} // namespace chatserv::test
