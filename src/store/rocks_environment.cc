#include "store/rocks_environment.h"

#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

namespace penstock::store {

namespace {

constexpr double kFilterBitsPerKey = 10;
constexpr std::size_t kBlockSize = 8 * kKiB;
constexpr std::size_t kArenaBlockSize = 128 * kKiB;  // the least that a database takes
constexpr std::size_t kWriteBufferSizeMax = 32 * kMiB;
constexpr int kOpenFilesMax = 256;  // of one database

}  // namespace

Error rocks_error(const rocksdb::Status& status) {
  // A file that is gone, or tables of another make, are damage as well.
  const bool is_damage = status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound() ||
                         status.IsInvalidArgument();
  return {is_damage ? ErrorCode::kCorrupt : ErrorCode::kRetry, "RocksDB: " + status.ToString()};
}

struct RocksEnvironment::Shared {
  std::unique_ptr<rocksdb::Env> memory_env;
  rocksdb::Options options;
};

RocksEnvironment::RocksEnvironment(Options options, const os::Clock& clock,
                                   telemetry::Logger& logger)
    : options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      shared_(std::make_unique<Shared>()) {
  rocksdb::Options& shared = shared_->options;
  if (options_.files == Files::kInMemory) {
    shared_->memory_env.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
    shared.env = shared_->memory_env.get();
  }
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options_.memory_bytes_max);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
  table.block_size = kBlockSize;
  shared.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // A half of the bound, taken from the cache as it is used.
  const std::size_t write_buffers = options_.memory_bytes_max / 2;
  shared.write_buffer_manager.reset(
      new rocksdb::WriteBufferManager(write_buffers, table.block_cache));
  shared.write_buffer_size = kWriteBufferSizeMax;
  shared.arena_block_size = kArenaBlockSize;
  shared.create_if_missing = true;
  shared.compression = rocksdb::kLZ4Compression;
  shared.level_compaction_dynamic_level_bytes = true;
  shared.max_open_files = kOpenFilesMax;
  shared.stats_dump_period_sec = 0;
  shared.stats_persist_period_sec = 0;
  shared.info_log_level = rocksdb::WARN_LEVEL;
  shared.keep_log_file_num = 1;
  shared.avoid_flush_during_shutdown = options_.on_close == OnClose::kLose;
}

RocksEnvironment::~RocksEnvironment() = default;

Timestamp RocksEnvironment::wall_now() const {
  return Timestamp(clock_.wall_now().time_since_epoch().count());
}

std::string RocksEnvironment::path_of(const std::string& folder) const {
  return options_.directory + "/" + folder;
}

Status RocksEnvironment::prepare() {
  const Status made = make_parents(path_of(""));
  if (!made) {
    return Error(ErrorCode::kInvalid, "state_directory: " + made.error().message());
  }
  return {};
}

// RocksDB itself makes the last folder of a path only.
Status RocksEnvironment::make_parents(const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    const rocksdb::Status made = shared_->options.env->CreateDirIfMissing(path.substr(0, end));
    if (!made.ok()) {
      return Error(ErrorCode::kRetry, made.ToString());
    }
  }
  return {};
}

Result<std::unique_ptr<rocksdb::DB>> RocksEnvironment::open(const std::string& folder) {
  const std::string path = path_of(folder);
  PENSTOCK_TRY(make_parents(path));
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(shared_->options, path, &opened);
  if (!status.ok()) {
    return rocks_error(status);
  }
  return std::unique_ptr<rocksdb::DB>(opened);
}

Status RocksEnvironment::discard(const std::string& folder, std::string_view why) {
  logger_.warn("store", "removed a database; its changelog brings it back",
               {{"folder", folder}, {"because", why}});
  const rocksdb::Status status = rocksdb::DestroyDB(path_of(folder), shared_->options);
  return status.ok() ? Status() : Status(Error(ErrorCode::kRetry, status.ToString()));
}

}  // namespace penstock::store
