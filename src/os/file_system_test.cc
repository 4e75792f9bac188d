#include "os/file_system.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::os {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The only tests that touch the real disk: in a folder of their own, removed at the end.
class PosixFileSystem : public ::testing::Test {
 protected:
  PosixFileSystem() {
    std::string pattern = ::testing::TempDir() + "penstock-os-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }

  ~PosixFileSystem() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return join_path(folder_, name); }

  std::unique_ptr<File> open(const std::string& name,
                             OpenOptions options = {.mode = OpenMode::kCreate}) {
    auto file = files_->open(path(name), options);
    EXPECT_TRUE(file.has_value()) << (file.has_value() ? "" : file.error().message());
    return file.has_value() ? std::move(*file) : nullptr;
  }

  std::string contents(const std::string& name) {
    const auto bytes = read_file(*files_, path(name));
    return bytes.has_value() ? std::string(as_text(*bytes)) : bytes.error().to_string();
  }

  std::string folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
};

TEST_F(PosixFileSystem, ReadsBackWhatWasWritten) {
  const auto file = open("a");
  ASSERT_TRUE(file->write_at(0, as_bytes("hello")).has_value());
  ASSERT_TRUE(file->write_at(10, as_bytes("world")).has_value());
  ASSERT_TRUE(file->sync().has_value());

  EXPECT_EQ(*file->size(), 15U);
  EXPECT_EQ(contents("a"), std::string("hello\0\0\0\0\0world", 15));
}

TEST_F(PosixFileSystem, ReadsShortOnlyAtTheEnd) {
  const auto file = open("a");
  ASSERT_TRUE(file->write_at(0, as_bytes("0123456789")).has_value());
  Bytes into(8);

  EXPECT_EQ(*file->read_at(0, into), 8U);
  EXPECT_EQ(*file->read_at(7, into), 3U);
  EXPECT_EQ(*file->read_at(10, into), 0U);
}

TEST_F(PosixFileSystem, OpenModesMeanWhatTheySay) {
  EXPECT_EQ(files_->open(path("no"), {}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(files_->open(path("no"), {.mode = OpenMode::kReadWrite}).error().code(),
            ErrorCode::kNotFound);
  open("a", {.mode = OpenMode::kCreateNew});
  const auto again = files_->open(path("a"), {.mode = OpenMode::kCreateNew});
  EXPECT_EQ(again.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(again.error().message(), HasSubstr(path("a") + ": File exists"));
  const auto reading = open("a", {});
  EXPECT_EQ(reading->write_at(0, as_bytes("x")).error().code(), ErrorCode::kFatal);
}

TEST_F(PosixFileSystem, DirectFilesWriteAndReadWholeBlocks) {
  auto opened =
      files_->open(path("a"), {.mode = OpenMode::kCreate, .direct = true, .sync_write = true});
  if (!opened.has_value()) {
    ASSERT_EQ(opened.error().code(), ErrorCode::kInvalid);
    GTEST_SKIP() << "this file system refuses O_DIRECT";
  }
  alignas(kDirectAlignment) static std::array<std::byte, 4 * kDirectAlignment> memory;
  memory.fill(std::byte{'x'});
  File& file = **opened;
  ASSERT_TRUE(file.write_at(0, ByteView(memory).first(2 * kDirectAlignment)).has_value());

  EXPECT_EQ(file.write_at(0, ByteView(memory).first(100)).error().code(), ErrorCode::kInvalid);
  ASSERT_TRUE(file.truncate(kDirectAlignment + 10).has_value());
  EXPECT_EQ(*file.read_at(0, memory), kDirectAlignment + 10) << "the end may be within a block";
}

TEST_F(PosixFileSystem, PreallocatingGrowsWithZeros) {
  const auto file = open("a");
  ASSERT_TRUE(file->write_at(0, as_bytes("abc")).has_value());
  ASSERT_TRUE(file->preallocate(10'000).has_value());

  EXPECT_EQ(*file->size(), 10'000U);
  EXPECT_EQ(contents("a"), "abc" + std::string(9'997, '\0'));
  ASSERT_TRUE(file->preallocate(100).has_value());
  EXPECT_EQ(*file->size(), 10'000U);
}

TEST_F(PosixFileSystem, TruncatesAndGrows) {
  const auto file = open("a");
  ASSERT_TRUE(file->write_at(0, as_bytes("abcdef")).has_value());
  ASSERT_TRUE(file->truncate(2).has_value());
  ASSERT_TRUE(file->truncate(4).has_value());

  EXPECT_EQ(contents("a"), std::string("ab\0\0", 4));
}

TEST_F(PosixFileSystem, DirectoriesAreMadeListedAndRemoved) {
  ASSERT_TRUE(files_->create_directories(path("d/e/f")).has_value());
  ASSERT_TRUE(files_->create_directories(path("d/e/f")).has_value()) << "again is fine";
  open("d/b");
  open("d/.hidden");
  EXPECT_THAT(*files_->list(path("d")), ElementsAre(".hidden", "b", "e"));
  EXPECT_THAT(*files_->list(path("d/e/f")), IsEmpty());
  EXPECT_TRUE(files_->sync_directory(path("d")).has_value());

  EXPECT_EQ(files_->remove(path("d")).error().code(), ErrorCode::kInvalid);
  EXPECT_TRUE(files_->remove(path("d/e/f")).has_value());
  EXPECT_FALSE(*files_->exists(path("d/e/f")));
  EXPECT_EQ(files_->list(path("no")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(files_->sync_directory(path("no")).error().code(), ErrorCode::kNotFound);
}

TEST_F(PosixFileSystem, AFileInTheWayOfADirectoryIsSaidSo) {
  open("file");

  const Status made = files_->create_directories(path("file"));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(made.error().message(), HasSubstr("there is a file of that name"));
  EXPECT_FALSE(files_->create_directories(path("file/below")).has_value());
  EXPECT_FALSE(*files_->exists(path("file/below")));
}

TEST_F(PosixFileSystem, RenamingReplaces) {
  ASSERT_TRUE(write_file_atomically(*files_, path("a"), as_bytes("new")).has_value());
  ASSERT_TRUE(write_file_atomically(*files_, path("b"), as_bytes("old")).has_value());

  ASSERT_TRUE(files_->rename(path("a"), path("b")).has_value());

  EXPECT_EQ(contents("b"), "new");
  EXPECT_FALSE(*files_->exists(path("a")));
  EXPECT_EQ(files_->rename(path("a"), path("b")).error().code(), ErrorCode::kNotFound);
}

TEST_F(PosixFileSystem, WritingAtomicallyReplacesAndLeavesNothingBehind) {
  ASSERT_TRUE(
      write_file_atomically(*files_, path("a"), as_bytes("a longer first text")).has_value());
  ASSERT_TRUE(write_file_atomically(*files_, path("a"), as_bytes("second")).has_value());

  EXPECT_EQ(contents("a"), "second");
  EXPECT_THAT(*files_->list(folder_), ElementsAre("a"));
}

TEST_F(PosixFileSystem, ALockIsExclusiveUntilDestroyed) {
  auto lock = files_->lock_file(path("lock"));
  ASSERT_TRUE(lock.has_value());

  const auto second = files_->lock_file(path("lock"));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
  EXPECT_THAT(second.error().message(), HasSubstr("another process"));

  *lock = nullptr;
  EXPECT_TRUE(files_->lock_file(path("lock")).has_value());
}

TEST_F(PosixFileSystem, FreeSpaceIsKnown) {
  EXPECT_GT(*files_->free_space(folder_), 0U);
  EXPECT_EQ(files_->free_space(path("no")).error().code(), ErrorCode::kNotFound);
}

TEST_F(PosixFileSystem, AFullDeviceIsBusy) {
  const auto full = files_->open("/dev/full", {.mode = OpenMode::kReadWrite});
  if (!full.has_value()) {
    GTEST_SKIP() << "there is no /dev/full";
  }

  EXPECT_EQ((*full)->write_at(0, as_bytes("x")).error().code(), ErrorCode::kBusy);
}

TEST(Paths, AreJoinedAndCut) {
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("", "b"), "b");
  EXPECT_EQ(parent_path("a/b/c"), "a/b");
  EXPECT_EQ(parent_path("a//b/"), "a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(parent_path("/"), "/");
}

}  // namespace
}  // namespace penstock::os
