// What most tests include, parsed once for each test program (meson: cpp_pch). GoogleTest and
// GoogleMock are most of what the compiler reads for a test. See shared/precompiled/product.h.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>
