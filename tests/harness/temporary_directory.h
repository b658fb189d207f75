// A folder for a test's files, removed with its contents.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace chatserv::test {

class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    // Creates a file in it and returns the path.
    [[nodiscard]] std::string file(const std::string& name, std::string_view content) const;

private:
    std::filesystem::path path_;
};

} // namespace chatserv::test
