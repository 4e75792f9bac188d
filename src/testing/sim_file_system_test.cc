#include "testing/sim_file_system.h"

#include <array>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::testing {
namespace {

using os::File;
using os::OpenMode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::size_t kPage = SimFileContents::kPageSize;

std::unique_ptr<File> open_file(SimFileSystem& disk, const std::string& path,
                                os::OpenOptions options = {.mode = OpenMode::kCreate}) {
  auto file = disk.open(path, options);
  EXPECT_TRUE(file.has_value()) << (file.has_value() ? "" : file.error().message());
  return file.has_value() ? std::move(*file) : nullptr;
}

void write(File& file, std::uint64_t offset, std::string_view text) {
  ASSERT_TRUE(file.write_at(offset, as_bytes(text)).has_value());
}

std::string contents(SimFileSystem& disk, const std::string& path) {
  const auto bytes = os::read_file(disk, path);
  return bytes.has_value() ? std::string(as_text(*bytes)) : bytes.error().to_string();
}

std::string page_of(char fill) {
  return std::string(kPage, fill);
}

// A synced file in a synced directory, to lose things from.
void create_durable(SimFileSystem& disk, const std::string& path, std::string_view text) {
  const auto file = open_file(disk, path);
  write(*file, 0, text);
  ASSERT_TRUE(file->sync().has_value());
  ASSERT_TRUE(disk.sync_directory(os::parent_path(path)).has_value());
}

TEST(SimFileSystem, ReadsBackWhatWasWritten) {
  SimFileSystem disk;
  const auto file = open_file(disk, "/a");
  write(*file, 0, "hello");
  write(*file, kPage * 2 - 2, "over a page's end");

  EXPECT_EQ(*file->size(), kPage * 2 + 15);
  const std::string all = contents(disk, "/a");
  EXPECT_EQ(all.substr(0, 6), std::string("hello\0", 6));
  EXPECT_EQ(all.substr(kPage * 2 - 3), std::string("\0over a page's end", 18));
}

TEST(SimFileSystem, ReadsShortOnlyAtTheEnd) {
  SimFileSystem disk;
  const auto file = open_file(disk, "/a");
  write(*file, 0, "0123456789");
  Bytes into(8);

  EXPECT_EQ(*file->read_at(0, into), 8U);
  EXPECT_EQ(*file->read_at(7, into), 3U);
  EXPECT_EQ(*file->read_at(10, into), 0U);
  EXPECT_EQ(*file->read_at(1000, into), 0U);
}

TEST(SimFileSystem, AnswersMissingAndExistingFilesAsTheInterfaceSays) {
  SimFileSystem disk;
  EXPECT_EQ(disk.open("/no", {}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(disk.open("/no/file", {.mode = OpenMode::kCreate}).error().code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(disk.remove("/no").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(disk.rename("/no", "/yes").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(disk.list("/no").error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(*disk.exists("/no"));
  open_file(disk, "/a");
  EXPECT_TRUE(*disk.exists("/a"));
  EXPECT_EQ(disk.open("/a", {.mode = OpenMode::kCreateNew}).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(disk.create_directories("/a/b").error().code(), ErrorCode::kInvalid);
}

TEST(SimFileSystem, ListsNamesSorted) {
  SimFileSystem disk;
  ASSERT_TRUE(disk.create_directories("/d/sub").has_value());
  open_file(disk, "/d/b");
  open_file(disk, "/d/a");

  EXPECT_THAT(*disk.list("/d"), ElementsAre("a", "b", "sub"));
  ASSERT_TRUE(disk.rename("/d/b", "/d/c").has_value());
  ASSERT_TRUE(disk.remove("/d/a").has_value());
  EXPECT_THAT(*disk.list("/d"), ElementsAre("c", "sub"));
  EXPECT_EQ(disk.remove("/d").error().code(), ErrorCode::kInvalid);
}

TEST(SimFileSystem, DirectFilesInsistOnAlignment) {
  SimFileSystem disk;
  const auto file = open_file(disk, "/a", {.mode = OpenMode::kCreate, .direct = true});
  alignas(os::kDirectAlignment) static std::array<std::byte, 2 * kPage> memory{};
  const ByteView whole(memory);

  EXPECT_TRUE(file->write_at(0, whole).has_value());
  EXPECT_EQ(file->write_at(1, whole).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(file->write_at(0, whole.first(100)).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(file->write_at(0, whole.subspan(8, kPage)).error().code(), ErrorCode::kInvalid);
  SimFileSystem refusing({.refuses_direct = true});
  EXPECT_EQ(refusing.open("/a", {.mode = OpenMode::kCreate, .direct = true}).error().code(),
            ErrorCode::kInvalid);
}

TEST(SimFileSystem, WhatGrowsAgainAfterTruncationIsZeros) {
  SimFileSystem disk;
  const auto file = open_file(disk, "/a");
  write(*file, 0, std::string(2 * kPage, 'x'));
  ASSERT_TRUE(file->truncate(100).has_value());
  ASSERT_TRUE(file->truncate(2 * kPage).has_value());

  EXPECT_EQ(contents(disk, "/a"), std::string(100, 'x') + std::string(2 * kPage - 100, '\0'));
}

TEST(SimFileSystem, SyncedDataSurvivesEveryCrash) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/a", page_of('1'));
    const auto file = open_file(disk, "/a", {.mode = OpenMode::kReadWrite});
    write(*file, kPage, page_of('2'));

    disk.crash();

    ASSERT_EQ(contents(disk, "/a").substr(0, kPage), page_of('1')) << "seed " << seed;
  }
}

TEST(SimFileSystem, UnsyncedPagesAreSometimesKeptLostTornAndGarbage) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/a", page_of('o'));
    const auto file = open_file(disk, "/a", {.mode = OpenMode::kReadWrite});
    write(*file, 0, page_of('n'));
    disk.crash();

    const std::string page = contents(disk, "/a");
    ASSERT_EQ(page.size(), kPage);
    bool garbage = false;
    std::set<char> sectors;
    for (std::size_t at = 0; at < kPage; at += SimFileContents::kSectorSize) {
      const std::string sector = page.substr(at, SimFileContents::kSectorSize);
      const bool whole = sector == std::string(SimFileContents::kSectorSize, sector[0]);
      garbage = garbage || !whole;
      sectors.insert(sector[0]);
    }
    outcomes.insert(garbage                 ? "garbage"
                    : sectors.size() > 1    ? "torn"
                    : sectors.contains('n') ? "kept"
                                            : "lost");
  }

  EXPECT_THAT(outcomes, ElementsAre("garbage", "kept", "lost", "torn"));
}

TEST(SimFileSystem, SectorsThatDidNotChangeAreNeverDamaged) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/a", page_of('o'));
    const auto file = open_file(disk, "/a", {.mode = OpenMode::kReadWrite});
    write(*file, 1024, std::string(512, 'n'));

    disk.crash();

    const std::string page = contents(disk, "/a");
    ASSERT_EQ(page.substr(0, 1024), std::string(1024, 'o')) << "seed " << seed;
    ASSERT_EQ(page.substr(1536), std::string(kPage - 1536, 'o')) << "seed " << seed;
  }
}

TEST(SimFileSystem, AnUnsyncedSizeMayBeOldNewOrBetween) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/a", page_of('o'));
    const auto file = open_file(disk, "/a", {.mode = OpenMode::kReadWrite});
    write(*file, kPage, page_of('n') + page_of('n'));
    disk.crash();

    const std::size_t size = contents(disk, "/a").size();
    ASSERT_GE(size, kPage);
    ASSERT_LE(size, 3 * kPage);
    outcomes.insert(size == kPage ? "old" : size == 3 * kPage ? "new" : "between");
  }

  EXPECT_THAT(outcomes, ElementsAre("between", "new", "old"));
}

TEST(SimFileSystem, ATruncationIsDurableOnlyOnceSynced) {
  std::set<std::size_t> unsynced;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/a", page_of('a') + page_of('b'));
    const auto file = open_file(disk, "/a", {.mode = OpenMode::kReadWrite});
    ASSERT_TRUE(file->truncate(10).has_value());
    const auto twin = disk.clone(seed);
    twin->crash();
    const std::string after = contents(*twin, "/a");
    unsynced.insert(after.size());
    // The rest of the page that was cut may have been zeroed already.
    ASSERT_TRUE(after.starts_with(std::string(10, 'a')));
    ASSERT_TRUE(after.size() == 10 || after.substr(kPage) == page_of('b'));

    ASSERT_TRUE(file->sync().has_value());
    disk.crash();

    ASSERT_EQ(contents(disk, "/a"), std::string(10, 'a')) << "seed " << seed;
  }
  EXPECT_THAT(unsynced, ElementsAre(10, 2 * kPage));
}

TEST(SimFileSystem, DirectoryEntriesAreLostUnlessTheDirectoryIsSynced) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/old", "old");
    create_durable(disk, "/gone", "gone");
    const auto file = open_file(disk, "/fresh");
    write(*file, 0, "fresh");
    ASSERT_TRUE(file->sync().has_value());
    ASSERT_TRUE(disk.rename("/old", "/new").has_value());
    ASSERT_TRUE(disk.remove("/gone").has_value());
    disk.crash();

    for (const std::string& name : *disk.list("/")) {
      outcomes.insert(name);
      ASSERT_EQ(contents(disk, "/" + name), name == "new" ? "old" : name) << "seed " << seed;
    }
    ASSERT_NE(*disk.exists("/old"), *disk.exists("/new")) << "a renaming is one step";
    outcomes.insert(*disk.exists("/fresh") ? "fresh kept" : "fresh lost");
    outcomes.insert(*disk.exists("/gone") ? "removal lost" : "removal kept");
  }

  EXPECT_THAT(outcomes, ElementsAre("fresh", "fresh kept", "fresh lost", "gone", "new", "old",
                                    "removal kept", "removal lost"));
}

TEST(SimFileSystem, SyncedDirectoryEntriesSurviveEveryCrash) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimFileSystem disk({.seed = seed});
    ASSERT_TRUE(disk.create_directories("/d/e").has_value());
    create_durable(disk, "/d/e/a", "a");
    create_durable(disk, "/d/e/b", "b");
    ASSERT_TRUE(disk.rename("/d/e/a", "/d/e/c").has_value());
    ASSERT_TRUE(disk.remove("/d/e/b").has_value());
    ASSERT_TRUE(disk.sync_directory("/d/e").has_value());

    disk.crash();

    ASSERT_THAT(*disk.list("/d/e"), ElementsAre("c")) << "seed " << seed;
    ASSERT_EQ(contents(disk, "/d/e/c"), "a");
  }
}

TEST(SimFileSystem, ASyncWriteIsDurableWhenItReturns) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/a", "");
    const auto file = open_file(disk, "/a", {.mode = OpenMode::kReadWrite, .sync_write = true});
    write(*file, 0, page_of('1'));

    disk.crash();

    ASSERT_EQ(contents(disk, "/a"), page_of('1')) << "seed " << seed;
  }
}

TEST(SimFileSystem, PowerLostDuringASyncWriteMayTearIt) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/a", page_of('o'));
    const auto file = open_file(disk, "/a", {.mode = OpenMode::kReadWrite, .sync_write = true});
    disk.lose_power_during(1);
    ASSERT_EQ(file->write_at(0, as_bytes(page_of('n'))).error().code(), ErrorCode::kFatal);
    ASSERT_TRUE(disk.power_lost());
    ASSERT_EQ(disk.list("/").error().code(), ErrorCode::kFatal);
    disk.crash();

    const std::string page = contents(disk, "/a");
    outcomes.insert(page == page_of('o') ? "old" : page == page_of('n') ? "new" : "torn");
  }

  EXPECT_THAT(outcomes, ElementsAre("new", "old", "torn"));
}

TEST(SimFileSystem, FilesAndLocksOfBeforeTheCrashAreDead) {
  SimFileSystem disk;
  const auto file = open_file(disk, "/a");
  auto lock = disk.lock_file("/lock");
  ASSERT_TRUE(lock.has_value());
  EXPECT_EQ(disk.lock_file("/lock").error().code(), ErrorCode::kBusy);

  disk.crash();

  EXPECT_EQ(file->write_at(0, as_bytes("x")).error().code(), ErrorCode::kFatal);
  const auto again = disk.lock_file("/lock");
  ASSERT_TRUE(again.has_value());
  *lock = nullptr;  // must not free the new owner's lock
  EXPECT_EQ(disk.lock_file("/lock").error().code(), ErrorCode::kBusy);
}

TEST(SimFileSystem, AKilledProcessLosesNothingWritten) {
  SimFileSystem disk;
  {
    const auto file = open_file(disk, "/a");
    write(*file, 0, "written, not synced");
    disk.kill_process();
    EXPECT_EQ(file->sync().error().code(), ErrorCode::kFatal);
  }

  EXPECT_EQ(contents(disk, "/a"), "written, not synced");
}

TEST(SimFileSystem, EqualSeedsCrashEqually) {
  SimFileSystem disk;
  const auto file = open_file(disk, "/a");
  for (std::uint64_t i = 0; i < 50; ++i) {
    write(*file, i * 1000, std::string(1500, static_cast<char>('a' + i % 26)));
  }
  ASSERT_TRUE(disk.sync_directory("/").has_value());
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto one = disk.clone(seed);
    const auto two = disk.clone(seed);
    one->crash();
    two->crash();
    ASSERT_EQ(contents(*one, "/a"), contents(*two, "/a"));
    outcomes.insert(contents(*one, "/a"));
  }

  EXPECT_GT(outcomes.size(), 5U);
}

TEST(SimFileSystem, AFailedWriteMayHaveWrittenAPart) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimFileSystem disk({.seed = seed});
    const auto file = open_file(disk, "/a");
    disk.inject({.op = DiskOp::kWrite, .nth = 2});
    write(*file, 0, "first");

    const Status second = file->write_at(5, as_bytes("second"));

    ASSERT_EQ(second.error().code(), ErrorCode::kFatal);
    EXPECT_THAT(second.error().message(), HasSubstr("/a: Input/output error"));
    sizes.insert(contents(disk, "/a").size());
    EXPECT_TRUE(file->write_at(5, as_bytes("third")).has_value()) << "one fault fails once";
  }
  EXPECT_GE(*sizes.begin(), 5U);
  EXPECT_GT(sizes.size(), 3U);
}

TEST(SimFileSystem, FaultsMatchByOperationAndPath) {
  SimFileSystem disk;
  const auto a = open_file(disk, "/a");
  const auto b = open_file(disk, "/b");
  disk.inject({.op = DiskOp::kSync, .repeats = 2, .path_contains = "b"});

  EXPECT_TRUE(a->sync().has_value());
  EXPECT_FALSE(b->sync().has_value());
  EXPECT_TRUE(a->sync().has_value());
  EXPECT_FALSE(b->sync().has_value());
  EXPECT_TRUE(b->sync().has_value());
}

TEST(SimFileSystem, AfterAFailedSyncNoLaterSyncBringsThePagesBack) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimFileSystem disk({.seed = seed});
    create_durable(disk, "/a", page_of('o'));
    const auto file = open_file(disk, "/a", {.mode = OpenMode::kReadWrite});
    write(*file, 0, page_of('n'));
    disk.inject({.op = DiskOp::kSync});
    ASSERT_EQ(file->sync().error().code(), ErrorCode::kFatal);
    ASSERT_TRUE(file->sync().has_value());
    ASSERT_EQ(contents(disk, "/a"), page_of('n')) << "readers still see it";

    disk.crash();

    lost += contents(disk, "/a") == page_of('o') ? 1 : 0;
  }
  EXPECT_GT(lost, 20);
}

TEST(SimFileSystem, AFullDiskIsBusyUntilThereIsSpace) {
  SimFileSystem disk({.capacity_bytes = 4 * kPage});
  const auto file = open_file(disk, "/a");
  write(*file, 0, std::string(3 * kPage, 'x'));
  EXPECT_EQ(*disk.free_space("/"), kPage);

  EXPECT_EQ(file->write_at(3 * kPage, as_bytes(std::string(2 * kPage, 'y'))).error().code(),
            ErrorCode::kBusy);
  EXPECT_TRUE(file->write_at(0, as_bytes(page_of('z'))).has_value()) << "overwriting needs none";
  disk.set_capacity(6 * kPage);
  EXPECT_TRUE(file->write_at(3 * kPage, as_bytes(std::string(2 * kPage, 'y'))).has_value());
}

TEST(SimFileSystem, PreallocatedSpaceCannotRunOut) {
  SimFileSystem disk({.capacity_bytes = 8 * kPage});
  const auto file = open_file(disk, "/a");
  ASSERT_TRUE(file->preallocate(6 * kPage).has_value());
  EXPECT_EQ(*file->size(), 6 * kPage);
  EXPECT_EQ(disk.used_bytes(), 6 * kPage);
  const auto other = open_file(disk, "/b");
  write(*other, 0, std::string(2 * kPage, 'x'));

  EXPECT_EQ(other->write_at(2 * kPage, as_bytes("x")).error().code(), ErrorCode::kBusy);
  EXPECT_TRUE(file->write_at(0, as_bytes(std::string(6 * kPage, 'y'))).has_value());
  EXPECT_EQ(file->preallocate(7 * kPage).error().code(), ErrorCode::kBusy);
}

TEST(SimFileSystem, RemovedFilesGiveTheirSpaceBackWhenClosed) {
  SimFileSystem disk({.capacity_bytes = 4 * kPage});
  auto file = open_file(disk, "/a");
  write(*file, 0, std::string(4 * kPage, 'x'));
  ASSERT_TRUE(disk.remove("/a").has_value());
  EXPECT_EQ(disk.used_bytes(), 4 * kPage);

  file = nullptr;

  EXPECT_EQ(disk.used_bytes(), 0U);
}

TEST(SimFileSystem, LyingSyncsLoseData) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimFileSystem disk({.seed = seed, .sync_mode = SimFileSystem::SyncMode::kLies});
    create_durable(disk, "/a", page_of('x'));

    disk.crash();

    lost += contents(disk, "/a") == page_of('x') ? 0 : 1;
  }
  EXPECT_GT(lost, 30);
}

TEST(SimFileSystem, CountsChangesAndLosesPowerAtEachOfThem) {
  const auto script = [](SimFileSystem& disk) -> Status {
    PENSTOCK_TRY(disk.create_directories("/d"));
    PENSTOCK_TRY(os::write_file_atomically(disk, "/d/f", as_bytes("one")));
    return os::write_file_atomically(disk, "/d/f", as_bytes("two"));
  };
  SimFileSystem good;
  ASSERT_TRUE(script(good).has_value());
  ASSERT_GT(good.changes(), 8U);

  for (std::uint64_t nth = 1; nth <= good.changes(); ++nth) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      SimFileSystem disk({.seed = seed});
      disk.lose_power_during(nth);
      ASSERT_FALSE(script(disk).has_value());
      disk.crash();

      if (*disk.exists("/d/f")) {
        ASSERT_THAT(contents(disk, "/d/f"), ::testing::AnyOf("one", "two"))
            << "change " << nth << ", seed " << seed << "\n"
            << disk.recent_operations();
      } else {
        ASSERT_LE(nth, 7U);
      }
    }
  }
}

TEST(SimFileSystem, BitsCanBeFlippedInPlace) {
  SimFileSystem disk;
  create_durable(disk, "/a", "abc");

  ASSERT_TRUE(disk.flip_bit("/a", 8).has_value());
  disk.crash();

  EXPECT_EQ(contents(disk, "/a"), "acc");
  EXPECT_FALSE(disk.flip_bit("/a", 24).has_value());
}

}  // namespace
}  // namespace penstock::testing
