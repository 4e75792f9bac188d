// Damage of the medium: bits flip, files are cut, blocks and files are lost or swapped. Whatever
// happens to a log, it either shows every acknowledged record as it was, or refuses with the name
// of the file; and `inspect()`, which is `penstock doctor`, finds what a start or a reader refuses.
//
// One thing cannot be told from a write that was cut off: damage to the very last group, if the
// process was killed before anything proved that group to be on the disk (docs/formats/log.md,
// "Torn tail or damage"). These tests hold the log to exactly that exception.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/crc32c.h"
#include "os/random.h"
#include "record/record_batch.h"
#include "simulation/wal_workload.h"
#include "wal/format.h"
#include "wal/inspect.h"
#include "wal/proof.h"
#include "wal/scanner.h"

namespace penstock::simulation {
namespace {

using testing::SimClock;
using testing::SimFileSystem;

constexpr std::uint64_t kSeed = 5;
constexpr const char* kDirectory = "data/log";

enum class End { kClosed, kKilled };

// Of one segment file, oldest group first.
using Groups = std::vector<wal::GroupHeader>;

Groups groups_of(SimFileSystem& disk, const std::string& path) {
  const auto file = *disk.open(path, {});
  auto scanner = *wal::SegmentScanner::open(*file, path);
  Groups groups;
  for (auto group = *scanner.next(); group; group = *scanner.next()) {
    groups.push_back(group->header);
  }
  return groups;
}

std::vector<std::string> segment_paths(SimFileSystem& disk) {
  std::vector<std::string> paths;
  for (const std::string& name : *disk.list(kDirectory)) {
    if (wal::parse_segment_file_name(name)) {
      paths.push_back(os::join_path(kDirectory, name));
    }
  }
  return paths;
}

// A log with several segments, all of whose writes were answered.
struct World {
  explicit World(End end);

  [[nodiscard]] const std::string& newest() const { return segments.rbegin()->first; }

  [[nodiscard]] const wal::GroupHeader& last_group() const {
    return segments.rbegin()->second.back();
  }

  [[nodiscard]] bool last_group_is_proven() const {
    const auto proof = *wal::read_proof(*disk, kDirectory);
    return proof &&
           proof->sequence >= groups_of(*disk, segment_paths(*disk).back()).back().sequence;
  }

  std::unique_ptr<SimFileSystem> disk = std::make_unique<SimFileSystem>();
  SimClock clock;
  WalWorkload books{kSeed};
  std::map<std::string, Groups> segments;  // by path; the last one is the newest
  std::vector<std::string> files;          // all paths but the lock
};

World::World(End end) {
  const auto log = *WalUnderTest::open(*disk, clock, kSeed, wal_test_options());
  EXPECT_TRUE(books.run(log->log(), clock, 250));
  for (int i = 0; end == End::kKilled && last_group_is_proven(); ++i) {
    PENSTOCK_CHECK(i < 100);
    EXPECT_TRUE(books.run(log->log(), clock, 1));
  }
  if (end == End::kClosed) {
    EXPECT_TRUE(log->log().close());
  }
  for (const std::string& path : segment_paths(*disk)) {
    segments[path] = groups_of(*disk, path);
  }
  for (const std::string& name : *disk->list(kDirectory)) {
    if (name != wal::kLockFileName) {
      files.push_back(os::join_path(kDirectory, name));
    }
  }
  EXPECT_GE(segments.size(), 3U);
  EXPECT_EQ(last_group_is_proven(), end == End::kClosed);
}

// --- The judge ---------------------------------------------------------------------------------

enum class Verdict {
  kUnharmed,   // everything acknowledged is there
  kRefused,    // open() refuses and names the file
  kNamed,      // the log opens, and a reader that comes to the place is told file and position
  kWrong,      // lost, altered, or refused without saying where
  kUnnoticed,  // as the others, but inspect() finds nothing, or finds what is not so
};

struct Outcome {
  Verdict verdict = Verdict::kUnharmed;
  std::string message;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Outcome open_and_check(const World& world, SimFileSystem& disk, const std::string& path) {
  SimClock later;
  later.advance(
      std::chrono::duration_cast<std::chrono::microseconds>(world.clock.now() - later.now()));
  const auto log = WalUnderTest::open(disk, later, kSeed, wal_test_options());
  if (!log) {
    // kInvalid: the flipped bit was in the format's version.
    const bool stops =
        log.error().code() == ErrorCode::kCorrupt || log.error().code() == ErrorCode::kInvalid;
    const bool named = contains(log.error().message(), path);
    return {stops && named ? Verdict::kRefused : Verdict::kWrong, log.error().message()};
  }
  const std::string wrong = WalWorkload(world.books).check((*log)->log());
  if (wrong.empty()) {
    return {Verdict::kUnharmed, {}};
  }
  const bool named =
      contains(wrong, "cannot be read: ") && contains(wrong, path + " is damaged at position ");
  return {named ? Verdict::kNamed : Verdict::kWrong, wrong};
}

std::string damage_text(const wal::Inspection& inspection) {
  std::string text;
  for (const std::string& damage : inspection.damage) {
    text += damage + "\n";
  }
  return text;
}

Outcome judge(const World& world, SimFileSystem& disk, const std::string& path) {
  const auto inspected = wal::inspect(disk, kDirectory);
  const bool clean = inspected && inspected->damage.empty();
  Outcome outcome = open_and_check(world, disk, path);
  if (inspected && outcome.verdict == Verdict::kRefused &&
      !contains(damage_text(*inspected), path)) {
    return {Verdict::kUnnoticed, "inspect() does not name it: " + damage_text(*inspected)};
  }
  if (clean && outcome.verdict != Verdict::kUnharmed && outcome.verdict != Verdict::kWrong) {
    return {Verdict::kUnnoticed, "inspect() finds nothing, but: " + outcome.message};
  }
  return outcome;
}

// What was done to the files, and what came of it.
class Sweep {
 public:
  explicit Sweep(const World& world) : world_(world) {}

  using Harm = std::function<void(SimFileSystem&)>;

  Outcome harm(const std::string& path, const Harm& harm) {
    const auto disk = world_.disk->clone(++count_);
    harm(*disk);
    const Outcome outcome = judge(world_, *disk, path);
    ++counts_[outcome.verdict];
    return outcome;
  }

  void flip(const std::string& path, std::uint64_t bit) {
    const Outcome outcome =
        harm(path, [&](SimFileSystem& disk) { ASSERT_TRUE(disk.flip_bit(path, bit)); });
    expect_no_loss(
        outcome, path + ", bit " + std::to_string(bit % 8) + " of byte " + std::to_string(bit / 8));
  }

  void cut(const std::string& path, std::uint64_t size) {
    const Outcome outcome = harm(path, [&](SimFileSystem& disk) {
      const auto file = *disk.open(path, {.mode = os::OpenMode::kReadWrite});
      ASSERT_TRUE(file->truncate(size));
    });
    expect_no_loss(outcome, path + " cut to " + std::to_string(size));
  }

  static void expect_no_loss(const Outcome& outcome, const std::string& what) {
    EXPECT_TRUE(outcome.verdict != Verdict::kWrong && outcome.verdict != Verdict::kUnnoticed)
        << what << ": " << outcome.message;
  }

  [[nodiscard]] std::uint64_t count(Verdict verdict) const {
    const auto found = counts_.find(verdict);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  const World& world_;
  std::uint64_t count_ = 0;
  std::map<Verdict, std::uint64_t> counts_;
};

std::uint64_t end_of(const Groups& groups) {
  return groups.back().position + groups.back().size_on_disk();
}

std::uint64_t size_of(SimFileSystem& disk, const std::string& path) {
  return *(*disk.open(path, {}))->size();
}

void zero(SimFileSystem& disk, const std::string& path, std::uint64_t begin, std::uint64_t end) {
  const auto file = *disk.open(path, {.mode = os::OpenMode::kReadWrite});
  PENSTOCK_CHECK(file->write_at(begin, Bytes(static_cast<std::size_t>(end - begin))).has_value());
}

// --- Bits --------------------------------------------------------------------------------------

TEST(WalDamage, EveryFlippedBitOfAHeaderIsHarmlessOrNamed) {
  const World world(End::kClosed);
  Sweep sweep(world);
  constexpr std::uint64_t kUsedOfSegmentHeader = 72;

  for (const std::string& path : {world.segments.begin()->first, world.newest()}) {
    for (std::uint64_t bit = 0; bit < kUsedOfSegmentHeader * 8; ++bit) {
      sweep.flip(path, bit);
    }
  }
  EXPECT_EQ(sweep.count(Verdict::kRefused), 2 * kUsedOfSegmentHeader * 8);

  const Groups& groups = world.segments.rbegin()->second;
  for (const wal::GroupHeader& group : {groups.front(), groups[groups.size() / 2], groups.back()}) {
    for (std::uint64_t bit = 0; bit < wal::kGroupHeaderSize * 8; ++bit) {
      sweep.flip(world.newest(), group.position * 8 + bit);
    }
  }
  EXPECT_EQ(sweep.count(Verdict::kUnharmed), 0U);
}

TEST(WalDamage, FlippedBitsAnywhereAreHarmlessOrNamed) {
  const World world(End::kClosed);
  Sweep sweep(world);
  os::SeededRandom random(kSeed);

  for (const auto& [path, groups] : world.segments) {
    for (const wal::GroupHeader& group : groups) {  // one bit of each, of header and contents
      sweep.flip(path, group.position * 8 + random.below(wal::kGroupHeaderSize * 8));
      sweep.flip(path, (group.position + wal::kGroupHeaderSize) * 8 +
                           random.below(std::uint64_t{group.payload_size} * 8 + 1));
    }
  }
  for (const std::string& path : world.files) {
    for (int i = 0; i < 60; ++i) {
      sweep.flip(path, random.below(size_of(*world.disk, path) * 8));
    }
  }

  EXPECT_GT(sweep.count(Verdict::kRefused), 50U);
  EXPECT_GT(sweep.count(Verdict::kNamed), 50U);
  EXPECT_GT(sweep.count(Verdict::kUnharmed), 50U);  // what is not used, or is a cache
}

// The index is a cache: without it the segment itself is read, and every group of it is checked.
TEST(WalDamage, FlippedBitsOfASealedSegmentWithoutItsIndexAreNamedAtTheStart) {
  const World world(End::kClosed);
  for (const auto& [path, groups] : world.segments) {
    const std::string index = path.substr(0, path.size() - 4) + ".idx";
    if (*world.disk->exists(index)) {
      ASSERT_TRUE(world.disk->remove(index));
    }
  }
  Sweep sweep(world);
  os::SeededRandom random(kSeed);
  const auto& [path, groups] = *world.segments.begin();

  std::uint64_t flipped = 0;
  for (const wal::GroupHeader& group : groups) {
    const std::uint64_t size = wal::kGroupHeaderSize + std::uint64_t{group.payload_size};
    for (int i = 0; i < 3; ++i, ++flipped) {
      sweep.flip(path, group.position * 8 + random.below(size * 8));
    }
  }
  EXPECT_EQ(sweep.count(Verdict::kRefused), flipped);
}

// --- Cut, lost, swapped ------------------------------------------------------------------------

TEST(WalDamage, FilesCutAnywhereAreHarmlessOrNamed) {
  const World world(End::kClosed);
  Sweep sweep(world);

  for (const std::string& path : world.files) {
    const std::uint64_t size = size_of(*world.disk, path);
    for (std::uint64_t block = 0; block < size; block += wal::kBlockSize) {
      for (const std::uint64_t cut : {block, block + 1, block + wal::kGroupHeaderSize}) {
        sweep.cut(path, std::min(cut, size - 1));
      }
    }
  }
  EXPECT_GT(sweep.count(Verdict::kRefused), 100U);
}

// Preallocation was durable before the segment got its name: no crash leaves it shorter, so there
// is no need of a proof to know that something is missing.
TEST(WalDamage, AShortSegmentIsDamageEvenIfTheProcessWasKilled) {
  const World world(End::kKilled);
  Sweep sweep(world);
  const std::uint64_t size = size_of(*world.disk, world.newest());

  for (std::uint64_t cut = 0; cut < size; cut += wal::kBlockSize / 2) {
    sweep.cut(world.newest(), cut);
  }
  EXPECT_EQ(sweep.count(Verdict::kRefused), size / (wal::kBlockSize / 2));
}

TEST(WalDamage, LostBlocksAreHarmlessOrNamed) {
  const World world(End::kClosed);
  Sweep sweep(world);

  for (const auto& [path, groups] : world.segments) {
    for (std::uint64_t at = 0; at < end_of(groups); at += wal::kBlockSize) {
      const Outcome outcome = sweep.harm(
          path, [&](SimFileSystem& disk) { zero(disk, path, at, at + wal::kBlockSize); });
      Sweep::expect_no_loss(outcome, path + " without its block at " + std::to_string(at));
    }
    const Outcome outcome = sweep.harm(
        path, [&](SimFileSystem& disk) { zero(disk, path, wal::kBlockSize, end_of(groups)); });
    Sweep::expect_no_loss(outcome, path + " without its groups");
  }
  EXPECT_GT(sweep.count(Verdict::kRefused), 50U);
}

TEST(WalDamage, LostAndSwappedSegmentsAreNamed) {
  for (const End end : {End::kClosed, End::kKilled}) {
    const World world(end);
    Sweep sweep(world);
    for (const auto& [path, groups] : world.segments) {
      const Outcome lost =
          sweep.harm(kDirectory, [&](SimFileSystem& disk) { ASSERT_TRUE(disk.remove(path)); });
      EXPECT_EQ(lost.verdict, Verdict::kRefused) << path << " is lost: " << lost.message;
      for (const auto& [other, other_groups] : world.segments) {
        if (other == path) {
          continue;
        }
        const Outcome swapped = sweep.harm(kDirectory, [&](SimFileSystem& disk) {
          ASSERT_TRUE(disk.rename(other, "data/aside"));
          ASSERT_TRUE(disk.rename(path, other));
          ASSERT_TRUE(disk.rename("data/aside", path));
        });
        EXPECT_EQ(swapped.verdict, Verdict::kRefused) << swapped.message;
      }
    }
    const Outcome all_lost = sweep.harm(kDirectory, [&](SimFileSystem& disk) {
      for (const auto& [path, groups] : world.segments) {
        ASSERT_TRUE(disk.remove(path));
      }
    });
    EXPECT_EQ(all_lost.verdict, Verdict::kRefused) << all_lost.message;
  }
}

TEST(WalDamage, LostIndexesSparesAndProofsAreHarmless) {
  const World world(End::kClosed);
  Sweep sweep(world);

  for (const std::string& path : world.files) {
    if (!world.segments.contains(path)) {
      const Outcome outcome =
          sweep.harm(path, [&](SimFileSystem& disk) { ASSERT_TRUE(disk.remove(path)); });
      EXPECT_EQ(outcome.verdict, Verdict::kUnharmed) << path << ": " << outcome.message;
    }
  }
}

// --- The last group ----------------------------------------------------------------------------

// The one exception. Nothing proves yet that the last group was synced, so damage to it is cut off
// as a write that was torn; damage to any group before it is named.
TEST(WalDamage, OnlyTheLastGroupOfAKilledProcessCanPassForATornWrite) {
  const World world(End::kKilled);
  Sweep sweep(world);
  const auto& [path, groups] = *world.segments.rbegin();
  std::uint64_t cut_off = 0;

  for (const wal::GroupHeader& group : groups) {
    const bool last = group.sequence == groups.back().sequence;
    const std::uint64_t size = wal::kGroupHeaderSize + std::uint64_t{group.payload_size};
    for (std::uint64_t at = 0; at < size; at += last ? 7 : size / 3) {
      const Outcome outcome = sweep.harm(path, [&, path = path](SimFileSystem& disk) {
        ASSERT_TRUE(disk.flip_bit(path, (group.position + at) * 8 + at % 8));
      });
      const bool lost = outcome.verdict == Verdict::kWrong;
      EXPECT_TRUE(outcome.verdict == Verdict::kRefused || (last && lost))
          << "group " << group.sequence << ", byte " << at << ": " << outcome.message;
      cut_off += lost ? 1 : 0;
    }
  }
  EXPECT_GT(cut_off, 0U) << "the exception is gone: mend docs/formats/log.md";
}

TEST(WalDamage, DamageToTheLastGroupIsNamedOnceItIsProven) {
  const World world(End::kClosed);
  Sweep sweep(world);
  const wal::GroupHeader& last = world.last_group();
  const std::uint64_t size = wal::kGroupHeaderSize + std::uint64_t{last.payload_size};

  std::uint64_t flipped = 0;
  for (std::uint64_t at = 0; at < size; at += at < wal::kGroupHeaderSize ? 1 : 7, ++flipped) {
    sweep.flip(world.newest(), (last.position + at) * 8 + at % 8);
  }
  EXPECT_EQ(sweep.count(Verdict::kRefused), flipped);
}

// --- Negative controls -------------------------------------------------------------------------

// Takes the whole last group away, and what would prove that it was there.
TEST(WalDamage, TheJudgeFindsPlantedLoss) {
  const World world(End::kClosed);
  Sweep sweep(world);
  std::uint64_t found = 0;

  const Groups& groups = world.segments.rbegin()->second;
  for (auto group = groups.rbegin(); group != groups.rend() && found == 0; ++group) {
    const Outcome outcome = sweep.harm(world.newest(), [&](SimFileSystem& disk) {
      zero(disk, world.newest(), group->position, end_of(groups));
      ASSERT_TRUE(disk.remove(os::join_path(kDirectory, std::string(wal::kProofFileName))));
    });
    found += outcome.verdict == Verdict::kWrong && contains(outcome.message, "lost") ? 1 : 0;
  }
  EXPECT_EQ(found, 1U);
}

// Changes what a record holds and puts every checksum right: as if none were looked at.
TEST(WalDamage, TheJudgeFindsAlteredRecordsThatNoChecksumShows) {
  const World world(End::kClosed);
  Sweep sweep(world);
  std::uint64_t altered = 0;
  const auto& [path, groups] = *world.segments.rbegin();
  const auto file = *world.disk->open(path, {});
  const wal::SegmentHeader segment = wal::SegmentScanner::open(*file, path)->header();
  const std::uint32_t seed = wal::checksum_seed(segment.uuid);

  // From the end: what is behind the altered group goes, so that the chain of checksums ends there.
  for (auto group = groups.rbegin(); group != groups.rend() && altered == 0; ++group) {
    Bytes bytes(wal::kGroupHeaderSize + group->payload_size);
    ASSERT_EQ(*file->read_at(group->position, bytes), bytes.size());
    const std::span payload = std::span(bytes).subspan(wal::kGroupHeaderSize);
    wal::EntryReader entries(payload);
    wal::Entry entry;
    if (!entries.next(entry) || !std::holds_alternative<wal::BatchEntry>(entry)) {
      continue;
    }
    const ByteView batch = std::get<wal::BatchEntry>(entry).bytes;
    if (RecordBatchView::parse(batch, RecordBatchView::Verify::kHeaderOnly)->compression() !=
        Compression::kNone) {
      continue;  // where its last value lies does not show
    }
    constexpr std::size_t kCrcAt = 17;
    const std::size_t begin = static_cast<std::size_t>(batch.data() - bytes.data());
    bytes[begin + batch.size() - 10] ^= std::byte{1};  // in the padding of the last value
    store_be(bytes.data() + begin + kCrcAt, crc32c(batch.subspan(kCrcAt + 4)));
    wal::GroupHeader header = *group;
    header.payload_crc = crc32c(payload, seed);
    wal::encode_group_header(header, seed, bytes.data());
    const Outcome outcome = sweep.harm(path, [&, path = path](SimFileSystem& disk) {
      zero(disk, path, group->position, end_of(groups));
      const auto out = *disk.open(path, {.mode = os::OpenMode::kReadWrite});
      ASSERT_TRUE(out->write_at(group->position, bytes));
      ASSERT_TRUE(disk.remove(os::join_path(kDirectory, std::string(wal::kProofFileName))));
    });
    EXPECT_EQ(outcome.verdict, Verdict::kWrong) << outcome.message;
    altered += contains(outcome.message, "other contents") ? 1 : 0;
  }
  EXPECT_EQ(altered, 1U);
}

}  // namespace
}  // namespace penstock::simulation
