// What most sources of the product include, parsed once for each library (meson: cpp_pch). It saves
// about half of the time of a build. Only headers of the system and of libraries stand here: a
// change to one of the product's own would compile everything again.
//
// A file still includes all that it uses: ./dev clang and ./dev macos compile without this header.
#include <algorithm>
#include <array>
#include <boost/interprocess/mapped_region.hpp>
#include <chrono>
#include <cstdint>
#include <fmt/core.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>
