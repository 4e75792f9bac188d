#include "config/config.h"

#include <algorithm>
#include <charconv>

#include "config/document.h"
#include "config/loader.h"
#include "core/bytes.h"
#include "os/file_system.h"

namespace penstock::config {

TopicSettings PipelineConfig::topic_defaults() const {
  TopicSettings topic;
  topic.dedup_time = ingest.dedup_time;
  topic.dedup_count = ingest.dedup_count;
  topic.retention_time = log.retention_time;
  topic.retention_size = log.retention_size;
  return topic;
}

std::string PipelineConfig::archive_directory() const {
  return archive.directory.empty() ? os::join_path(log.data_dir, "archive") : archive.directory;
}

std::string PipelineConfig::archive_spool_directory() const {
  return os::join_path(log.data_dir, "archive-spool");
}

std::string PipelineConfig::sqlite_file(const SqliteSettings& sink) const {
  return sink.file.value_or(os::join_path(log.data_dir, sink.name + ".sqlite"));
}

Result<PipelineConfig> parse_config(std::string_view toml, std::string_view file_name,
                                    std::span<const Override> overrides) {
  PENSTOCK_TRY_ASSIGN(const std::vector<Section> sections, read_toml(toml, file_name));
  Loader loader(file_name);
  loader.load(sections, overrides);
  return loader.finish();
}

Result<PipelineConfig> load_config(os::FileSystem& files, const std::string& path,
                                   std::span<const Override> overrides) {
  const Result<Bytes> text = os::read_file(files, path);
  if (!text) {
    return text.error().with("cannot read the configuration " + path);
  }
  return parse_config(as_text(*text), path, overrides);
}

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto bad = [&] {
    return Error(ErrorCode::kInvalid, "\"" + std::string(text) +
                                          "\" is not an address and a port, such as "
                                          "\"127.0.0.1:8080\"");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return bad();
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad();
  }
  ListenAddress address{host == "localhost" ? "127.0.0.1" : std::string(host)};
  const auto [rest, failure] =
      std::from_chars(port.data(), port.data() + port.size(), address.port);
  const bool legal = std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
           c == ':';
  });
  if (failure != std::errc() || rest != port.data() + port.size() || host.empty() ||
      (!legal && host != "localhost")) {
    return bad();
  }
  return address;
}

}  // namespace penstock::config
