#include "sinks/archive/archive_verify.h"

#include <optional>
#include <vector>

#include "sinks/archive/parquet_reader.h"

namespace penstock::sinks {
namespace {

std::string to_text(const OffsetRange& range) {
  return to_string(range.first) + " to " + to_string(range.last);
}

class Verifier {
 public:
  Verifier(os::FileSystem& files, ArchiveStore& store, const VerifyOptions& options)
      : files_(files), store_(store), options_(options) {}

  Result<VerifyReport> run() {
    PENSTOCK_TRY_ASSIGN(const std::vector<std::string> topics, store_.topics());
    for (const std::string& topic : topics) {
      if (options_.topic.empty() || options_.topic == topic) {
        PENSTOCK_TRY(verify_topic(topic));
      }
    }
    return report_;
  }

 private:
  void find(const std::string& finding) {
    ++report_.findings;
    options_.say(finding);
  }

  Status verify_topic(const std::string& topic) {
    ++report_.topics;
    const auto files = store_.list(topic);
    if (!files.has_value()) {
      if (files.error().code() != ErrorCode::kInvalid) {
        return files.error();
      }
      find("topic " + topic + ": " + files.error().message());
      return {};
    }
    const ArchivedFile* before = nullptr;
    for (const ArchivedFile& file : *files) {
      if (before != nullptr && before->partition == file.partition) {
        if (const Status joins = check_join(topic, *before, file); !joins.has_value()) {
          find("topic " + topic + ": " + joins.error().message());
        }
      }
      PENSTOCK_TRY(verify_file(file));
      before = &file;
    }
    return verify_begun(topic);
  }

  Status verify_begun(const std::string& topic) {
    PENSTOCK_TRY_ASSIGN(const std::vector<ArchivedFile> begun, store_.begun(topic));
    for (const ArchivedFile& file : begun) {
      find(file.folder + "/" + file.name + ": begun, but not there: it is being written, or lost");
    }
    return {};
  }

  Status verify_file(const ArchivedFile& file) {
    if (!file.is_data) {
      report_.missing_offsets += static_cast<std::uint64_t>(file.range.last - file.range.first + 1);
      return {};
    }
    ++report_.files;
    Status sound = read_file(file);
    if (!sound.has_value() && sound.error().code() == ErrorCode::kCorrupt) {
      find(file.folder + "/" + file.name + ": " + sound.error().message());
      return {};
    }
    return sound;
  }

  // kCorrupt: what is wrong with it.
  Status read_file(const ArchivedFile& file) {
    PENSTOCK_TRY_ASSIGN(const auto copy, store_.fetch(file));
    PENSTOCK_TRY_ASSIGN(const auto reader, ParquetReader::open(files_, copy->path()));
    ArchivedRecord record;
    std::optional<Offset> last;
    std::uint64_t rows = 0;
    for (;;) {
      PENSTOCK_TRY_ASSIGN(const bool is_there, reader->next(record));
      if (!is_there) {
        break;
      }
      PENSTOCK_TRY(check_row(file, record, last));
      last = record.offset;
      ++rows;
    }
    report_.rows += rows;
    return check_count(file, rows, reader->row_count());
  }

  static Status check_row(const ArchivedFile& file, const ArchivedRecord& record,
                          const std::optional<Offset>& before) {
    const std::string row = "the row of offset " + to_string(record.offset);
    if (record.partition != file.partition) {
      return Error(ErrorCode::kCorrupt, row + " is of partition " + to_string(record.partition));
    }
    if (record.offset < file.range.first || record.offset > file.range.last) {
      return Error(ErrorCode::kCorrupt, row + " is not of its range");
    }
    if (before.has_value() && record.offset <= *before) {
      return Error(ErrorCode::kCorrupt, row + " comes after that of " + to_string(*before));
    }
    return {};
  }

  [[nodiscard]] Status check_count(const ArchivedFile& file, std::uint64_t rows,
                                   std::uint64_t in_footer) const {
    const auto offsets = static_cast<std::uint64_t>(file.range.last - file.range.first + 1);
    const std::string counted = "it holds " + std::to_string(rows) + " rows, but ";
    if (rows != in_footer) {
      return Error(ErrorCode::kCorrupt, counted + "its footer says " + std::to_string(in_footer));
    }
    if (options_.every_offset_is_a_record && rows != offsets) {
      return Error(ErrorCode::kCorrupt, counted + "its range is " + to_text(file.range));
    }
    return {};
  }

  os::FileSystem& files_;
  ArchiveStore& store_;
  const VerifyOptions& options_;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> verify_archive(os::FileSystem& files, ArchiveStore& store,
                                    const VerifyOptions& options) {
  return Verifier(files, store, options).run();
}

}  // namespace penstock::sinks
