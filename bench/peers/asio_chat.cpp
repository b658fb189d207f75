// chatserv-asio-chat: a typical chat server written with Boost.Asio. It has one thread, a session
// for each connection, a room that knows all sessions, and a queue of messages for each session. It
// reads one line at a time and puts it into the other sessions' queues, and it writes one message
// of a queue at a time.
//
// As is usual, a queue has no limit: messages for a slow reader are kept as long as the reader
// stays connected. When a client stops sending, the messages left in its queue are thrown away.
//
//     chatserv-asio-chat        prints `listening on PORT`
#include "bench/load/loopback.h"

#include <boost/asio.hpp>
#include <cstdio>
#include <deque>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace {

using namespace chatserv::bench;
using boost::asio::ip::tcp;
using boost::system::error_code;

using Message = std::shared_ptr<const std::string>; // all queues share one copy

class Session;

class Room {
public:
    void join(std::shared_ptr<Session> session) { sessions_.insert(std::move(session)); }
    void leave(const std::shared_ptr<Session>& session) { sessions_.erase(session); }
    void say(const Session& from, const Message& message);

private:
    std::set<std::shared_ptr<Session>> sessions_;
};

// Kept alive by the room and by each pending operation.
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, Room& room) : socket_(std::move(socket)), room_(room) {}

    void begin() {
        room_.join(shared_from_this());
        read_line();
    }

    void deliver(const Message& message) {
        queue_.push_back(message);
        if (queue_.size() == 1) // otherwise it is written after the messages before it
            write_front();
    }

private:
    void read_line() {
        boost::asio::async_read_until(socket_, boost::asio::dynamic_buffer(incoming_), '\n',
            [self = shared_from_this()](error_code error, size_t bytes) {
                if (error)
                    return self->end();
                const Message message = std::make_shared<std::string>(self->incoming_, 0, bytes);
                self->incoming_.erase(0, bytes);
                self->room_.say(*self, message);
                self->read_line();
            });
    }

    void write_front() {
        boost::asio::async_write(socket_, boost::asio::buffer(*queue_.front()),
            [self = shared_from_this()](error_code error, size_t) {
                if (error)
                    return self->end();
                self->queue_.pop_front();
                if (!self->queue_.empty())
                    self->write_front();
            });
    }

    void end() {
        room_.leave(shared_from_this());
        error_code ignored;
        socket_.close(ignored); // pending operations end with an error
    }

    tcp::socket socket_;
    Room& room_;
    std::string incoming_{}; // received bytes, not yet a line
    std::deque<Message> queue_{};
};

void Room::say(const Session& from, const Message& message) {
    for (const std::shared_ptr<Session>& session : sessions_)
        if (session.get() != &from)
            session->deliver(message);
}

class Server {
public:
    Server() : acceptor_(io_, tcp::v4(), listen_on_loopback().release()) { accept(); }

    void run() { io_.run(); }

private:
    void accept() {
        acceptor_.async_accept([this](error_code error, tcp::socket socket) {
            if (error)
                throw boost::system::system_error(error, "accept");
            std::make_shared<Session>(std::move(socket), room_)->begin();
            accept();
        });
    }

    boost::asio::io_context io_{1}; // for one thread; destroyed after the sockets in the room
    Room room_;
    tcp::acceptor acceptor_;
};

} // namespace

int main() {
    allow_many_descriptors();
    try {
        Server().run();
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "chatserv-asio-chat: %s\n", failure.what());
        return 1;
    }
}
