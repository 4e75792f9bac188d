// S3ArchiveStore keeps the archive in a bucket. Several processes may write the same topics at
// once, as two do where one is believed dead: each offset is in one object all the same.
//
//   web-3-1000 waits on this machine's disk until it is whole, then
//   1. <prefix>_manifest/topic=web/partition=3/00000000000000001000.json      if there is none
//   2. <prefix>topic=web/dt=2024-05-01/hour=12/web-3-1000-1999.parquet        if there is none
//
// The first is the claim: it says which range begins at 1000, once and for all, since both are made
// only if nothing is there (If-None-Match: *). Whoever comes second reads it, and makes just that
// object if it is not there yet. So ranges join whoever writes them; no lock, no clock is needed.
// The claims stay: they are the manifest that readers may go by. Why: docs/adr/0024-s3-archive.md.
//
// An answer that was lost is no matter: the object's own size and checksum say whether it is ours.
//
// Threads   one; interrupt() from any.
// Lifetime  `files` and everything in `surroundings` outlive it.
// Errors    as ArchiveStore; never kFatal
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "sinks/archive/archive_store.h"
#include "sinks/s3/credentials.h"
#include "sinks/s3/s3_client.h"
#include "telemetry/registry.h"

namespace penstock::sinks {

class S3ArchiveStore final : public ArchiveStore {
 public:
  struct Options {
    std::string prefix;           // of all keys: empty, or ends in '/'
    std::string spool_directory;  // where files are until they are whole
    std::uint64_t part_size = 8 * kMiB;
    // Only a test takes this away, to see that it finds what it must find.
    bool respects_claims = true;
  };

  S3ArchiveStore(os::FileSystem& files, std::unique_ptr<CredentialsSource> credentials,
                 std::unique_ptr<S3Client> client, Options options);

  [[nodiscard]] Status open() override;

  [[nodiscard]] std::string kind() const override { return "s3"; }

  [[nodiscard]] std::string place() const override;

  [[nodiscard]] bool is_remote() const override { return true; }

  [[nodiscard]] Result<std::map<PartitionId, ArchivedPartition>> scan(
      const std::string& topic) override;
  [[nodiscard]] Result<ArchiveEnd> look_up(const std::string& topic, PartitionId partition,
                                           Offset next) override;
  [[nodiscard]] Result<std::string> temporary_path(const std::string& topic, PartitionId partition,
                                                   HourIndex hour, Offset first) override;
  [[nodiscard]] Status publish(const FinishedFile& file) override;
  [[nodiscard]] Status mark_missing(const std::string& topic, PartitionId partition,
                                    OffsetRange range) override;
  [[nodiscard]] Result<std::vector<std::string>> topics() override;
  [[nodiscard]] Result<std::vector<ArchivedFile>> list(const std::string& topic) override;
  [[nodiscard]] Result<std::vector<ArchivedFile>> begun(const std::string& topic) override;
  [[nodiscard]] Result<std::unique_ptr<LocalCopy>> fetch(const ArchivedFile& file) override;

  void interrupt() override { client_->interrupt(); }

 private:
  // An entry of the manifest.
  struct Claim {
    ArchiveClaim claim;
    std::uint64_t row_count = 0;
    bool is_missing = false;  // the range is left out
  };

  [[nodiscard]] Status claim(const std::string& topic, PartitionId partition, const Claim& wanted);
  [[nodiscard]] Result<Claim> read_claim(const std::string& key);
  // The claim of the range that begins there, if there is one.
  [[nodiscard]] Result<std::optional<Claim>> find_claim(const std::string& topic,
                                                        PartitionId partition, Offset first);
  [[nodiscard]] Status put_missing(const std::string& topic, PartitionId partition,
                                   OffsetRange range);
  [[nodiscard]] Result<Put> put_file(const std::string& key, const FinishedFile& file,
                                     const S3Client::Metadata& metadata);
  [[nodiscard]] Result<Put> put_in_parts(const std::string& key, const os::File& from,
                                         std::uint64_t size, const S3Client::Metadata& metadata);
  [[nodiscard]] Status resolve(const std::string& key, const Result<Put>& outcome,
                               const FinishedFile& file, const S3Client::Metadata& metadata);
  [[nodiscard]] Status abort_leftovers(const std::string& topic);
  [[nodiscard]] std::string topic_key(const std::string& topic) const;
  [[nodiscard]] std::string manifest_key(const std::string& topic) const;
  [[nodiscard]] std::string claim_key(const std::string& topic, PartitionId partition,
                                      Offset first) const;
  [[nodiscard]] std::string object_key(const std::string& topic, PartitionId partition,
                                       const ArchiveClaim& claim) const;

  os::FileSystem& files_;
  const std::unique_ptr<CredentialsSource> credentials_;
  const std::unique_ptr<S3Client> client_;
  const Options options_;
  std::unique_ptr<os::FileLock> lock_;
};

}  // namespace penstock::sinks
