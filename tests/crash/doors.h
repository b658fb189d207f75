// What a server is given at once in the torture of all its doors, and who is on the other side of
// each: users who talk, listen or speak, users of a UNIX socket, readers that come back, newcomers
// who are sent the last of the conversation first, and sources.
//
// Each member has a stream of its own, a file among them. With `lines` the streams are lines of
// text (line_wire.h), for a server that relays whole lines.
#pragma once

#include "tests/harness/client.h"
#include "tests/harness/peer_server.h"
#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"
#include "tests/oracle/line_wire.h"
#include "tests/oracle/tally.h"
#include "tests/oracle/transcript.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

// The places of the listeners in the options. The UNIX socket is not one of the server's endpoints.
enum class Door : std::size_t { talk, listen, speak, resume, local };

class Member {
public:
    // `client`: null for the file, to which the test appends.
    Member(std::string name, Door door, std::unique_ptr<Client> client,
        std::optional<unsigned> sender, bool lines);

    [[nodiscard]] Door door() const { return door_; }
    [[nodiscard]] Client* client() const { return client_.get(); }
    [[nodiscard]] const Session& session() const { return session_; }
    [[nodiscard]] const std::string& name() const { return session_.name; }

    // Sends the next bytes of its stream. Returns their text, which goes to the file.
    std::string speak(const StreamCode& code, std::uint64_t bytes);
    // The end of its stream, and of its last line.
    std::string speak_last(const StreamCode& code);
    [[nodiscard]] std::uint64_t queued_bytes() const { return queued_bytes_; }
    // Of its stream, how much it has given to the system. Takes long for lines.
    [[nodiscard]] std::uint64_t sent_bytes() const;
    [[nodiscard]] bool is_ready_to_speak() const;

    // Takes what has come. `sent`: of each sender, by now.
    void observe(const PerSender& sent);
    // A reader that resumes has not before it is answered: until then it may be told that something
    // is gone, and what is sent meanwhile with it.
    [[nodiscard]] bool joined() const {
        return joined_ && (door_ != Door::resume || !answer_.empty());
    }
    // Nothing that is sent now can be missed by it.
    [[nodiscard]] bool is_settled() const {
        return joined() || gone_ || !client_ || !session_.hears;
    }
    void note_joined(const PerSender& sent);
    [[nodiscard]] bool ended() const { return client_ && client_->ended(); }
    // It has left, or was let go: nothing is due to it any more.
    [[nodiscard]] bool gone() const { return gone_; }
    void note_gone();
    // It was not served long after it came.
    [[nodiscard]] bool is_overdue(std::chrono::steady_clock::duration limit) const;
    [[nodiscard]] const Tally& tally() const { return tally_; }
    [[nodiscard]] const LineReader& reader() const { return line_reader_; }

    // A reader that resumes: its answer's first word, and its next request, once it has an answer.
    [[nodiscard]] const std::string& answer() const { return answer_; }
    [[nodiscard]] std::string next_request() const;
    // Of a reader that was told that something is gone: what came before that.
    [[nodiscard]] const std::vector<Session>& former() const { return former_; }
    // The session, with everything that was sent and received.
    [[nodiscard]] Session finished() const;
    // It comes back over this connection. What it may have missed meanwhile, it is told: then a
    // session ends, and another one begins.
    void come_back(std::unique_ptr<Client> client);

private:
    void take_answer();
    void begin_again();

    Door door_;
    std::unique_ptr<Client> client_;
    Session session_{};
    bool lines_;
    LineWriter writer_;
    LineReader line_reader_{};
    Tally tally_{};
    std::string heard_{};   // of all its connections, without answers
    std::size_t taken_ = 0; // of what its connection has received
    std::string answer_{};
    std::string life_{};
    std::uint64_t from_ = 0;
    std::size_t heard_before_ = 0;    // ... by the connections before this one
    bool begins_within_line_ = false; // as it may, where something is gone
    std::vector<Session> former_{};
    std::uint64_t queued_bytes_ = 0;
    std::chrono::steady_clock::time_point invited_ = std::chrono::steady_clock::now();
    bool joined_ = false;
    bool gone_ = false;
};

// The other ends of a server's doors.
class Doors {
public:
    Doors(Loop& loop, const std::vector<std::string>& options, bool lines);

    [[nodiscard]] Server& server() { return *server_; }
    [[nodiscard]] std::string control() const { return folder_.path().string() + "/control"; }
    [[nodiscard]] std::unique_ptr<Client> connect(Door door, bool slow = false);
    // Waits until the source has come, and is connected.
    [[nodiscard]] std::unique_ptr<Client> accept_from_tcp();
    [[nodiscard]] std::unique_ptr<Client> accept_from_unix();
    void append_to_file(std::string_view text) const;
    // The process that follows the file; 0 where there is none.
    [[nodiscard]] pid_t process_of_file();
    // Whether the server has left nothing behind but the test's own files.
    [[nodiscard]] bool nothing_is_left() const;

private:
    [[nodiscard]] std::string path(const char* name) const {
        return folder_.path().string() + "/" + name;
    }

    Loop& loop_;
    TemporaryDirectory folder_{};
    PeerServer tcp_peer_;
    PeerServer unix_peer_;
    std::unique_ptr<Server> server_;
};

} // namespace chatserv::test
