// The fixture of tests of a server in unusual surroundings: see surroundings.cpp.
#pragma once

#include "tests/integration/server_test.h"

#include <string>
#include <vector>

namespace chatserv::test {

class SurroundingsTest : public ServerTest {
protected:
    using Surroundings = std::vector<std::string>; // options of surroundings.cpp

    // Why these surroundings cannot be made here; empty if they can.
    [[nodiscard]] std::string why_not(const Surroundings& surroundings);

    // A listening server there.
    void start_in(const Surroundings& surroundings, const std::vector<std::string>& options = {});

    [[nodiscard]] static Command command_in(
        const Surroundings& surroundings, const std::vector<std::string>& options);
};

// A control group with a memory limit, removed with the object once its processes are gone.
class MemoryGroup {
public:
    explicit MemoryGroup(const std::string& limit);
    ~MemoryGroup();
    MemoryGroup(const MemoryGroup&) = delete;
    MemoryGroup& operator=(const MemoryGroup&) = delete;

    [[nodiscard]] bool made() const { return why_not_.empty(); }
    [[nodiscard]] const std::string& why_not() const { return why_not_; }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
    std::string why_not_;
};

} // namespace chatserv::test
