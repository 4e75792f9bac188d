// SimFileContents is one file's bytes in SimFileSystem: what readers see, and what would survive.
//
// Pages of 4 KiB, sparse (an absent page is zeros) and shared between copies, so that copying a
// disk costs a few pointers per page. Every change since the last sync is remembered per page,
// because a power failure may leave any of those versions behind, or a mixture of their sectors.
//
// Threads   a value; no sharing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/bytes.h"
#include "core/ref_counted.h"
#include "os/random.h"

namespace penstock::testing {

// What a power failure does to changes that were not synced.
enum class CrashMood {
  kKeepAll,
  kLoseAll,
  kMixed,  // per page: the newest, the old, one in between, torn at sectors, or garbage
};

class SimFileContents {
 public:
  static constexpr std::size_t kPageSize = 4096;
  static constexpr std::size_t kSectorSize = 512;

  [[nodiscard]] std::uint64_t size() const { return size_; }

  // Disk space taken: pages that were written or reserved.
  [[nodiscard]] std::uint64_t allocated_bytes() const;
  // What write(offset, size bytes) and preallocate(size) would add to it.
  [[nodiscard]] std::uint64_t needed_to_write(std::uint64_t offset, std::size_t size) const;
  [[nodiscard]] std::uint64_t needed_to_preallocate(std::uint64_t size) const;

  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;
  void write(std::uint64_t offset, ByteView bytes);
  void truncate(std::uint64_t size);
  void preallocate(std::uint64_t size);

  // Makes everything durable.
  void sync();
  // Makes the pages of this range and the size durable, as a write under O_DSYNC does.
  void sync_range(std::uint64_t offset, std::size_t size);
  // What a failed fsync leaves: some pages reached the disk, the others are marked clean and no
  // later sync writes them, though readers still see them.
  void fail_sync(os::Random& random);

  // Power failure: readers see from now on what survived.
  void crash(os::Random& random, CrashMood mood);

 private:
  struct Page final : RefCounted {
    std::array<std::byte, kPageSize> bytes{};
  };

  using PageRef = Ref<const Page>;  // null: zeros
  using Pages = std::map<std::uint64_t, PageRef>;

  [[nodiscard]] static PageRef find(const Pages& pages, std::uint64_t index);
  [[nodiscard]] static PageRef survivor(const PageRef& old, const std::vector<PageRef>& versions,
                                        os::Random& random);
  void write_page(std::uint64_t index, std::size_t begin, ByteView bytes);
  void drop_durable_beyond_cut();
  void make_durable(std::uint64_t index);
  void set_durable(std::uint64_t index, PageRef page);

  Pages pages_;
  std::uint64_t size_ = 0;
  std::uint64_t reserved_pages_ = 0;  // pages before this are allocated even if never written

  Pages durable_pages_;
  std::uint64_t durable_size_ = 0;
  std::uint64_t durable_reserved_pages_ = 0;

  // Versions of a page since it was last durable, oldest first; the last is what readers see.
  std::map<std::uint64_t, std::vector<PageRef>> dirty_;
  std::uint64_t cut_ = 0;  // the least size since the last sync
};

}  // namespace penstock::testing
