#include "wal/spares.h"

#include <algorithm>
#include <utility>

#include "wal/format.h"

namespace penstock::wal {

std::string SpareSegments::new_path() {
  const std::uint64_t number = known_.with([](Known& known) { return known.next_number++; });
  return os::join_path(directory_, spare_file_name(number));
}

Status SpareSegments::make() {
  const std::string path = new_path();
  const auto allocate = [&]() -> Status {
    PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file,
                        files_.open(path, {.mode = os::OpenMode::kCreateNew}));
    PENSTOCK_TRY(file->preallocate(segment_bytes_));
    return file->sync();
  };
  if (Status allocated = allocate(); !allocated) {
    static_cast<void>(files_.remove(path));  // what there is of it; the first error counts
    return allocated;
  }
  give_back(path);
  return {};
}

void SpareSegments::adopt(std::uint64_t number) {
  known_.with([&](Known& known) {
    known.next_number = std::max(known.next_number, number + 1);
    known.paths.push_back(os::join_path(directory_, spare_file_name(number)));
  });
}

Status SpareSegments::recycle(const std::string& segment_path, std::size_t kept_max) {
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file, files_.open(segment_path, {}));
  PENSTOCK_TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size != segment_bytes_ || count() >= kept_max) {
    PENSTOCK_TRY(files_.remove(segment_path));
    return files_.sync_directory(directory_);
  }
  const std::string path = new_path();
  PENSTOCK_TRY(files_.rename(segment_path, path));
  // Only then may it be written: or a crash could bring the old name back, with new contents.
  PENSTOCK_TRY(files_.sync_directory(directory_));
  give_back(path);
  return {};
}

std::optional<std::string> SpareSegments::take() {
  return known_.with([](Known& known) -> std::optional<std::string> {
    if (known.paths.empty()) {
      return std::nullopt;
    }
    std::string path = std::move(known.paths.back());
    known.paths.pop_back();
    return path;
  });
}

void SpareSegments::give_back(std::string path) {
  known_.with([&](Known& known) { known.paths.push_back(std::move(path)); });
}

std::size_t SpareSegments::count() const {
  return known_.with([](const Known& known) { return known.paths.size(); });
}

}  // namespace penstock::wal
