#include "config/secrets.h"

#include <algorithm>
#include <array>

#include "core/bytes.h"

namespace penstock::config {
namespace {

constexpr std::string_view kEnvironment = "${env:";
constexpr std::string_view kFile = "${file:";

// What stands in "${kind:...}", if `value` is of that kind.
std::string_view inside(std::string_view value, std::string_view kind) {
  if (!value.starts_with(kind) || !value.ends_with('}')) {
    return "";
  }
  return value.substr(kind.size(), value.size() - kind.size() - 1);
}

}  // namespace

bool is_secret(std::string_view property) {
  constexpr std::array<std::string_view, 5> kSecrets = {"sasl.password", "ssl.key.password",
                                                        "ssl.keystore.password", "ssl.key.pem",
                                                        "sasl.oauthbearer.client.secret"};
  return std::find(kSecrets.begin(), kSecrets.end(), property) != kSecrets.end();
}

bool is_reference(std::string_view value) {
  return !inside(value, kEnvironment).empty() || !inside(value, kFile).empty();
}

Result<std::string> resolve_reference(std::string_view value, os::FileSystem& files,
                                      std::span<const std::string> environment) {
  if (const std::string_view name = inside(value, kEnvironment); !name.empty()) {
    const std::string begin = std::string(name) + "=";
    for (const std::string& variable : environment) {
      if (variable.starts_with(begin)) {
        return variable.substr(begin.size());
      }
    }
    return Error(ErrorCode::kInvalid, "there is no environment variable " + std::string(name));
  }
  if (const std::string_view path = inside(value, kFile); !path.empty()) {
    const auto contents = os::read_file(files, std::string(path));
    if (!contents) {
      return Error(ErrorCode::kInvalid, contents.error().message());
    }
    std::string text(as_text(*contents));
    if (text.ends_with('\n')) {
      text.pop_back();
    }
    return text;
  }
  return std::string(value);
}

}  // namespace penstock::config
