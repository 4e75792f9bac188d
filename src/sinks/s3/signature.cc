#include "sinks/s3/signature.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "core/check.h"
#include "net/digest.h"

namespace penstock::sinks {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

// Without blanks at the ends, and with single ones inside.
std::string normal(std::string_view value) {
  std::string result;
  for (const char c : value) {
    if (c != ' ' || (!result.empty() && result.back() != ' ')) {
      result += c;
    }
  }
  if (!result.empty() && result.back() == ' ') {
    result.pop_back();
  }
  return result;
}

// Names in lower case, sorted.
NamedTexts canonical_headers(const NamedTexts& headers) {
  NamedTexts result;
  for (const auto& [name, value] : headers) {
    result.emplace_back(lower(name), normal(value));
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  return result;
}

std::string names_of(const NamedTexts& headers) {
  std::string names;
  for (const auto& [name, value] : headers) {
    names += (names.empty() ? "" : ";") + name;
  }
  return names;
}

std::string canonical_request(const SignedRequest& request, const NamedTexts& headers) {
  std::string text = request.method + "\n" + request.path + "\n" + canonical_query(request.query);
  text += "\n";
  for (const auto& [name, value] : headers) {
    text.append(name).append(":").append(value).append("\n");
  }
  return text + "\n" + names_of(headers) + "\n" + request.body_hash;
}

net::Sha256 signing_key(const SigningKey& key, std::string_view day) {
  const std::string first = "AWS4" + key.secret_access_key;
  const net::Sha256 of_day = net::hmac_sha256(as_bytes(first), as_bytes(day));
  const net::Sha256 of_region = net::hmac_sha256(of_day, as_bytes(key.region));
  const net::Sha256 of_service = net::hmac_sha256(of_region, as_bytes(key.service));
  return net::hmac_sha256(of_service, as_bytes("aws4_request"));
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string authorization(const SignedRequest& request, const SigningKey& key) {
  const NamedTexts headers = canonical_headers(request.headers);
  const auto date = std::find_if(headers.begin(), headers.end(),
                                 [](const auto& header) { return header.first == "x-amz-date"; });
  PENSTOCK_CHECK(date != headers.end() && date->second.size() == 16);
  const std::string day = date->second.substr(0, 8);
  const std::string scope = day + "/" + key.region + "/" + key.service + "/aws4_request";
  const std::string canonical = canonical_request(request, headers);
  const std::string to_sign = std::string(kAlgorithm) + "\n" + date->second + "\n" + scope + "\n" +
                              net::hex(net::sha256(as_bytes(canonical)));
  const net::Sha256 signature = net::hmac_sha256(signing_key(key, day), as_bytes(to_sign));
  return std::string(kAlgorithm) + " Credential=" + key.access_key_id + "/" + scope +
         ", SignedHeaders=" + names_of(headers) + ", Signature=" + net::hex(signature);
}

std::string amz_date(os::WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(whole);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{whole - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

std::string uri_encode(std::string_view text, Slashes slashes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (is_unreserved(c) || (c == '/' && slashes == Slashes::kKeep)) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    }
  }
  return result;
}

std::string canonical_query(const NamedTexts& query) {
  NamedTexts encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(uri_encode(name, Slashes::kEncode), uri_encode(value, Slashes::kEncode));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    text.append(text.empty() ? "" : "&").append(name).append("=").append(value);
  }
  return text;
}

}  // namespace penstock::sinks
