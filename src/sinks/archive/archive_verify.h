// Verifies an archive: reads every file of it and compares what it holds with what its name says.
//
// Looked for, in each partition: offsets that are in no file or in two; files that are begun and
// were never finished, or are lost; files that cannot be read, whose pages or contents do not fit
// their checksums, whose rows are not of their partition and range, in order, each once.
//
// Threads   one.
// Errors    those of the store, where it cannot be asked: then nothing is known
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.h"
#include "sinks/archive/archive_store.h"

namespace penstock::sinks {

struct VerifyOptions {
  std::string topic;  // empty: all
  // Of a log whose offsets have gaps, as Kafka's, a file may have fewer rows than offsets.
  bool every_offset_is_a_record = true;
  // Called with one line for each finding.
  std::function<void(const std::string&)> say;
};

struct VerifyReport {
  std::uint64_t topics = 0;
  std::uint64_t files = 0;
  std::uint64_t rows = 0;
  std::uint64_t missing_offsets = 0;  // left out on purpose, see docs/formats/archive.md
  std::uint64_t findings = 0;
};

// `files`: where fetched files are.
[[nodiscard]] Result<VerifyReport> verify_archive(os::FileSystem& files, ArchiveStore& store,
                                                  const VerifyOptions& options);

}  // namespace penstock::sinks
