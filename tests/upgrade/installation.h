// A folder in which a version of chatserv is installed, and another one later, as a package manager
// does it: each file gets its name in one step.
#pragma once

#include "tests/harness/temporary_directory.h"

#include <string>

namespace chatserv::test {

// The programs that the tests were built with; skips the test if this build has no such program.
[[nodiscard]] std::string usual_version();
[[nodiscard]] std::string other_version();
[[nodiscard]] std::string version_with_dying_masters(); // empty if the linker cannot make it

class Installation {
public:
    // `program`: the path of a chatserv, beside which its worker lies.
    explicit Installation(const std::string& program) { install(program); }

    void install(const std::string& program);
    // In place of chatserv: a shell script that runs `commands` if its first word is `when`, and
    // goes on as `program` does if they do not end it.
    void install_script(
        const std::string& when, const std::string& commands, const std::string& program);
    // A program in which each `from` is `to`, which is as long.
    void install_changed(
        const std::string& from, const std::string& to, const std::string& program);
    // Of all its programs, this one alone.
    void install_one(const std::string& name, const std::string& program) const;
    // In place of one of its programs: a shell script.
    void install_script_as(const std::string& name, const std::string& commands) const;
    void remove(const std::string& name) const;

    [[nodiscard]] std::string chatserv() const { return path("chatserv"); }
    [[nodiscard]] std::string path(const std::string& name) const {
        return folder_.path().string() + "/" + name;
    }

private:
    void put(const std::string& name, const std::string& from) const;

    TemporaryDirectory folder_;
};

} // namespace chatserv::test
