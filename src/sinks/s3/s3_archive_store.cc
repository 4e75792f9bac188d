#include "sinks/s3/s3_archive_store.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <set>
#include <utility>

#include "core/crc32c.h"
#include "core/json_writer.h"
#include "core/units.h"
#include "sinks/s3/json_fields.h"

namespace penstock::sinks {
namespace {

constexpr std::string_view kTopicPrefix = "topic=";
constexpr std::string_view kParquetType = "application/vnd.apache.parquet";
constexpr std::string_view kTemporarySuffix = ".tmp";
// What S3 allows.
constexpr std::uint64_t kPartsMax = 10'000;
constexpr std::size_t kReadSize = 8 * kMiB;

constexpr const char* kRowsName = "penstock-rows";
constexpr const char* kChecksumName = "penstock-crc32c";

std::string hex32(std::uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%08x", number);
  return text.data();
}

template <typename Number>
std::optional<Number> to_number(const std::optional<std::string>& text) {
  if (!text.has_value()) {
    return std::nullopt;
  }
  Number number = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, failure] = std::from_chars(text->data(), end, number);
  return failure == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

// Calls `take` with each piece of the file.
template <typename Take>
Status for_each_piece(const os::File& file, std::uint64_t size, std::size_t piece_size, Take take) {
  Bytes buffer(std::min<std::uint64_t>(piece_size, size));
  for (std::uint64_t at = 0; at < size;) {
    const std::span<std::byte> into(buffer.data(),
                                    std::min<std::uint64_t>(buffer.size(), size - at));
    PENSTOCK_TRY_ASSIGN(const std::size_t read, file.read_at(at, into));
    if (read != into.size()) {
      return Error(ErrorCode::kRetry, "a finished archive file has become shorter");
    }
    PENSTOCK_TRY(take(as_text(into)));
    at += read;
  }
  return {};
}

Result<std::string> checksum_of(const os::File& file, std::uint64_t size) {
  std::uint32_t checksum = 0;
  PENSTOCK_TRY(for_each_piece(file, size, kReadSize, [&](std::string_view piece) {
    checksum = crc32c(as_bytes(piece), checksum);
    return Status();
  }));
  return hex32(checksum);
}

// A downloaded object, removed with this.
class Download final : public LocalCopy {
 public:
  Download(os::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  ~Download() override { static_cast<void>(files_.remove(path_)); }

  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  os::FileSystem& files_;
  const std::string path_;
};

}  // namespace

S3ArchiveStore::S3ArchiveStore(os::FileSystem& files,
                               std::unique_ptr<CredentialsSource> credentials,
                               std::unique_ptr<S3Client> client, Options options)
    : files_(files),
      credentials_(std::move(credentials)),
      client_(std::move(client)),
      options_(std::move(options)) {}

Status S3ArchiveStore::open() {
  PENSTOCK_TRY(files_.create_directories(options_.spool_directory));
  PENSTOCK_TRY_ASSIGN(lock_, files_.lock_file(os::join_path(options_.spool_directory, ".lock")));
  PENSTOCK_TRY_ASSIGN(const auto names, files_.list(options_.spool_directory));
  for (const std::string& name : names) {
    if (name.ends_with(kTemporarySuffix)) {
      PENSTOCK_TRY(files_.remove(os::join_path(options_.spool_directory, name)));
    }
  }
  return {};
}

std::string S3ArchiveStore::place() const {
  return "s3://" + client_->bucket() + "/" + options_.prefix;
}

std::string S3ArchiveStore::topic_key(const std::string& topic) const {
  return options_.prefix + std::string(kTopicPrefix) + topic + "/";
}

std::string S3ArchiveStore::manifest_key(const std::string& topic) const {
  return options_.prefix + "_manifest/" + std::string(kTopicPrefix) + topic + "/";
}

std::string S3ArchiveStore::claim_key(const std::string& topic, PartitionId partition,
                                      Offset first) const {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "%020lld", static_cast<long long>(first.value()));
  return manifest_key(topic) + "partition=" + to_string(partition) + "/" + number.data() + ".json";
}

std::string S3ArchiveStore::object_key(const std::string& topic, PartitionId partition,
                                       const ArchiveClaim& claim) const {
  const std::string below = hour_folder("", topic, claim.hour);  // "/topic=..." or "topic=..."
  return options_.prefix + below.substr(below.starts_with('/') ? 1 : 0) + "/" +
         data_file_name(topic, partition, claim.range);
}

Status S3ArchiveStore::abort_leftovers(const std::string& topic) {
  PENSTOCK_TRY_ASSIGN(const auto uploads, client_->uploads(topic_key(topic)));
  for (const S3Client::Upload& upload : uploads) {
    PENSTOCK_TRY(client_->abort_upload(upload));
  }
  return {};
}

// Another process that writes may lose an upload by this; it begins that one again.
Result<std::map<PartitionId, ArchivedPartition>> S3ArchiveStore::scan(const std::string& topic) {
  PENSTOCK_TRY(abort_leftovers(topic));
  PENSTOCK_TRY_ASSIGN(auto found, list(topic));
  return join_files(topic, std::move(found));
}

Result<std::vector<ArchivedFile>> S3ArchiveStore::list(const std::string& topic) {
  const std::string prefix = topic_key(topic);
  PENSTOCK_TRY_ASSIGN(const auto listed, client_->list(prefix));
  std::vector<ArchivedFile> found;
  for (const S3Client::Listed& object : listed) {
    const std::size_t slash = object.key.rfind('/');
    const std::string_view below =
        std::string_view(object.key).substr(prefix.size(), slash - prefix.size() + 1);
    const bool in_hour = below.starts_with("dt=") && below.find("/hour=") != std::string::npos;
    if (!in_hour && slash + 1 != prefix.size()) {
      continue;
    }
    PENSTOCK_TRY_ASSIGN(auto file,
                        parse_file_name(topic, in_hour ? Folder::kHour : Folder::kTopic,
                                        object.key.substr(0, slash), object.key.substr(slash + 1)));
    if (file.has_value()) {
      found.push_back(*std::move(file));
    }
  }
  sort_files(found);
  return found;
}

Result<std::vector<ArchivedFile>> S3ArchiveStore::begun(const std::string& topic) {
  // In this order: what is finished in between is found.
  PENSTOCK_TRY_ASSIGN(const auto claims, client_->list(manifest_key(topic)));
  PENSTOCK_TRY_ASSIGN(const auto files, list(topic));
  std::set<std::string> finished;
  for (const ArchivedFile& file : files) {
    finished.insert(claim_key(topic, file.partition, file.range.first));
  }
  std::vector<ArchivedFile> begun;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const std::string& key = claims[i].key;
    const std::size_t slash = key.rfind('/');
    const std::string folder = key.substr(0, slash + 1);
    const auto oldest = finished.lower_bound(folder);
    const bool is_behind_oldest =
        oldest != finished.end() && oldest->starts_with(folder) && *oldest < key;
    const bool is_newest = i + 1 == claims.size() || !claims[i + 1].key.starts_with(folder);
    // Others were finished once, and moved away from the beginning.
    if (finished.contains(key) || (!is_behind_oldest && !is_newest)) {
      continue;
    }
    PENSTOCK_TRY_ASSIGN(const Claim claim, read_claim(key));
    begun.push_back({.partition = PartitionId(0),
                     .range = claim.claim.range,
                     .folder = key.substr(0, slash),
                     .name = key.substr(slash + 1),
                     .is_data = !claim.is_missing});
  }
  return begun;
}

Result<std::vector<std::string>> S3ArchiveStore::topics() {
  PENSTOCK_TRY_ASSIGN(const auto folders, client_->folders(options_.prefix));
  std::vector<std::string> topics;
  for (const std::string& folder : folders) {
    if (folder.starts_with(kTopicPrefix)) {
      topics.push_back(folder.substr(kTopicPrefix.size()));
    }
  }
  return topics;
}

Result<std::string> S3ArchiveStore::temporary_path(const std::string& topic, PartitionId partition,
                                                   HourIndex /*hour*/, Offset first) {
  return os::join_path(options_.spool_directory, temporary_file_name(topic, partition, first));
}

Result<S3ArchiveStore::Claim> S3ArchiveStore::read_claim(const std::string& key) {
  PENSTOCK_TRY_ASSIGN(const std::string text, client_->get(key));
  const auto fields = json_fields(text, {"/first", "/last", "/hour", "/rows", "/missing"});
  const auto first = to_number<std::int64_t>(fields[0]);
  const auto last = to_number<std::int64_t>(fields[1]);
  const auto hour = to_number<HourIndex>(fields[2]);
  const auto rows = to_number<std::uint64_t>(fields[3]);
  if (!first || !last || !hour || !rows || *first > *last) {
    return Error(ErrorCode::kInvalid, "the archive's manifest holds what is not its own: " + key);
  }
  return Claim{.claim = {.hour = *hour, .range = {Offset(*first), Offset(*last)}},
               .row_count = *rows,
               .is_missing = fields[4] == "true"};
}

Result<std::optional<S3ArchiveStore::Claim>> S3ArchiveStore::find_claim(const std::string& topic,
                                                                        PartitionId partition,
                                                                        Offset first) {
  auto claim = read_claim(claim_key(topic, partition, first));
  if (!claim.has_value() && claim.error().code() == ErrorCode::kNotFound) {
    return std::optional<Claim>();
  }
  PENSTOCK_TRY(claim);
  return std::optional(*claim);
}

Result<ArchiveEnd> S3ArchiveStore::look_up(const std::string& topic, PartitionId partition,
                                           Offset next) {
  PENSTOCK_TRY_ASSIGN(auto claim, find_claim(topic, partition, next));
  ArchiveEnd end{next};
  while (claim.has_value()) {
    const OffsetRange range = claim->claim.range;
    PENSTOCK_TRY_ASSIGN(const auto following, find_claim(topic, partition, range.last + 1));
    // What has a successor was finished, or that would not have been begun; it may have been moved
    // away since.
    if (!following.has_value() && claim->is_missing) {
      PENSTOCK_TRY(put_missing(topic, partition, range));
    } else if (!following.has_value() && options_.respects_claims) {
      const auto object = client_->head(object_key(topic, partition, claim->claim));
      if (!object.has_value() && object.error().code() == ErrorCode::kNotFound) {
        end.claim = claim->claim;
        return end;
      }
      PENSTOCK_TRY(object);
    }
    end.next = range.last + 1;
    claim = following;
  }
  return end;
}

// Succeeds if the range is, or was, begun just so.
Status S3ArchiveStore::claim(const std::string& topic, PartitionId partition, const Claim& wanted) {
  const OffsetRange& range = wanted.claim.range;
  const std::string key = claim_key(topic, partition, range.first);
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("version").value(1).key("topic").value(topic);
  json.key("partition").value(partition.value());
  json.key("first").value(range.first.value()).key("last").value(range.last.value());
  json.key("rows").value(wanted.row_count).key("hour").value(wanted.claim.hour);
  if (wanted.is_missing) {
    json.key("missing").value(true);
  } else {
    json.key("object").value(object_key(topic, partition, wanted.claim));
  }
  json.end_object();
  text += "\n";
  PENSTOCK_TRY_ASSIGN(const Put put, client_->put_new(key, text, "application/json", {}));
  if (put == Put::kMade) {
    return {};
  }
  PENSTOCK_TRY_ASSIGN(const Claim there, read_claim(key));
  if ((there.claim == wanted.claim && there.is_missing == wanted.is_missing) ||
      !options_.respects_claims) {
    return {};
  }
  return Error(ErrorCode::kAbortTxn,
               "another process archives this topic, too: it has begun offsets " +
                   to_string(there.claim.range.first) + " to " + to_string(there.claim.range.last) +
                   ", and that is what counts");
}

Status S3ArchiveStore::publish(const FinishedFile& file) {
  const ArchiveClaim wanted{.hour = file.hour, .range = file.range};
  PENSTOCK_TRY(claim(file.topic, file.partition, {.claim = wanted, .row_count = file.row_count}));
  PENSTOCK_TRY_ASSIGN(const auto from, files_.open(file.path, {}));
  PENSTOCK_TRY_ASSIGN(const std::string checksum, checksum_of(*from, file.size));
  const S3Client::Metadata metadata = {{kRowsName, std::to_string(file.row_count)},
                                       {kChecksumName, checksum}};
  const std::string key = object_key(file.topic, file.partition, wanted);
  const Result<Put> outcome = file.size <= options_.part_size
                                  ? put_file(key, file, metadata)
                                  : put_in_parts(key, *from, file.size, metadata);
  PENSTOCK_TRY(resolve(key, outcome, file, metadata));
  return files_.remove(file.path);
}

// What has become of an attempt whose answer is not plainly "made".
Status S3ArchiveStore::resolve(const std::string& key, const Result<Put>& outcome,
                               const FinishedFile& file, const S3Client::Metadata& metadata) {
  if (outcome.has_value() && *outcome == Put::kMade) {
    return {};
  }
  const Error unknown =
      outcome.has_value()
          ? Error(ErrorCode::kRetry, key + " was there, and is gone again")
          : Error(outcome.error().code() == ErrorCode::kInvalid ? ErrorCode::kInvalid
                                                                : ErrorCode::kRetry,
                  outcome.error().message());
  const auto object = client_->head(key);
  if (!object.has_value()) {
    return object.error().code() == ErrorCode::kNotFound ? unknown : object.error();
  }
  const bool is_ours = object->size == file.size && object->metadata == metadata;
  // Another process made it of the same claim: other bytes at most, if it is of another version.
  const bool is_theirs = object->metadata.contains(kRowsName);
  if (!is_ours && !is_theirs) {
    return Error(ErrorCode::kInvalid, "the bucket has an object in the archive's way: " + key);
  }
  return {};
}

Result<Put> S3ArchiveStore::put_file(const std::string& key, const FinishedFile& file,
                                     const S3Client::Metadata& metadata) {
  PENSTOCK_TRY_ASSIGN(const Bytes contents, os::read_file(files_, file.path));
  return client_->put_new(key, as_text(contents), std::string(kParquetType), metadata);
}

Result<Put> S3ArchiveStore::put_in_parts(const std::string& key, const os::File& from,
                                         std::uint64_t size, const S3Client::Metadata& metadata) {
  PENSTOCK_TRY_ASSIGN(std::string id,
                      client_->begin_upload(key, std::string(kParquetType), metadata));
  const S3Client::Upload upload{key, std::move(id)};
  const std::uint64_t part_size = std::max(options_.part_size, size / kPartsMax + 1);
  std::vector<S3Client::Part> parts;
  Status sent = for_each_piece(from, size, part_size, [&](std::string_view piece) -> Status {
    PENSTOCK_TRY_ASSIGN(S3Client::Part part, client_->put_part(upload, parts.size() + 1, piece));
    parts.push_back(std::move(part));
    return {};
  });
  Result<Put> outcome =
      sent.has_value() ? client_->complete_upload(upload, parts) : Result<Put>(sent.error());
  if (!outcome.has_value() || *outcome == Put::kExists) {
    // If this fails, the next start does it.
    static_cast<void>(client_->abort_upload(upload));
  }
  return outcome;
}

Status S3ArchiveStore::put_missing(const std::string& topic, PartitionId partition,
                                   OffsetRange range) {
  const std::string key = topic_key(topic) + missing_file_name(topic, partition, range);
  PENSTOCK_TRY(client_->put_new(key, kMissingText, "text/plain", {}));
  return {};
}

Status S3ArchiveStore::mark_missing(const std::string& topic, PartitionId partition,
                                    OffsetRange range) {
  PENSTOCK_TRY(claim(topic, partition, {.claim = {.hour = 0, .range = range}, .is_missing = true}));
  return put_missing(topic, partition, range);
}

Result<std::unique_ptr<LocalCopy>> S3ArchiveStore::fetch(const ArchivedFile& file) {
  const std::string key = file.folder + "/" + file.name;
  PENSTOCK_TRY_ASSIGN(const S3Client::Object object, client_->head(key));
  PENSTOCK_TRY(files_.create_directories(options_.spool_directory));
  auto copy = std::make_unique<Download>(
      files_, os::join_path(options_.spool_directory, "." + file.name + ".copy"));
  PENSTOCK_TRY_ASSIGN(const auto to, files_.open(copy->path(), {.mode = os::OpenMode::kCreate}));
  PENSTOCK_TRY(to->truncate(0));
  std::uint32_t checksum = 0;
  for (std::uint64_t at = 0; at < object.size;) {
    const std::uint64_t wanted = std::min<std::uint64_t>(kReadSize, object.size - at);
    PENSTOCK_TRY_ASSIGN(const std::string piece, client_->get_range(key, at, wanted));
    if (piece.size() != wanted) {
      return Error(ErrorCode::kRetry, key + ": the S3 server sent another range than asked for");
    }
    PENSTOCK_TRY(to->write_at(at, as_bytes(piece)));
    checksum = crc32c(as_bytes(piece), checksum);
    at += wanted;
  }
  const auto expected = object.metadata.find(kChecksumName);
  if (expected == object.metadata.end() || expected->second != hex32(checksum)) {
    return Error(ErrorCode::kCorrupt, key + ": its checksum is not that of what was written");
  }
  return std::unique_ptr<LocalCopy>(std::move(copy));
}

}  // namespace penstock::sinks
