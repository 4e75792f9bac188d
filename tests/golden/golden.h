// Compares bytes with a file of tests/golden/, or writes it anew where UPDATE_GOLDEN=1 is set.
//
// A golden file pins a format that others read: if a test here fails, either the change is a
// mistake or the format's version has to rise.
#pragma once

#include <string>

#include "core/bytes.h"

namespace penstock::golden {

// Text of `bytes` as hexadecimal, 16 a line.
[[nodiscard]] std::string to_hex(ByteView bytes);

// Fails the running test if tests/golden/<name> does not hold exactly `actual`.
void expect_golden(const std::string& name, const std::string& actual);

}  // namespace penstock::golden
