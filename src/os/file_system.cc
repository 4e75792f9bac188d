#include "os/file_system.h"

#include <utility>

namespace penstock::os {

Result<Bytes> read_file(FileSystem& files, const std::string& path) {
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<File> file, files.open(path, {}));
  PENSTOCK_TRY_ASSIGN(const std::uint64_t size, file->size());
  Bytes contents(size);
  PENSTOCK_TRY_ASSIGN(const std::size_t read, file->read_at(0, contents));
  contents.resize(read);
  return contents;
}

Status write_file_atomically(FileSystem& files, const std::string& path, ByteView contents) {
  const std::string temporary = path + ".tmp";
  {
    PENSTOCK_TRY_ASSIGN(const std::unique_ptr<File> file,
                        files.open(temporary, {.mode = OpenMode::kCreate}));
    PENSTOCK_TRY(file->truncate(0));
    PENSTOCK_TRY(file->write_at(0, contents));
    PENSTOCK_TRY(file->sync());
  }
  PENSTOCK_TRY(files.rename(temporary, path));
  return files.sync_directory(parent_path(path));
}

std::string join_path(const std::string& directory, const std::string& name) {
  if (directory.empty() || directory.back() == '/') {
    return directory + name;
  }
  return directory + "/" + name;
}

std::string parent_path(const std::string& path) {
  const std::size_t name_end = path.find_last_not_of('/');
  if (name_end == std::string::npos) {
    return path.empty() ? "." : "/";
  }
  const std::size_t slash = path.rfind('/', name_end);
  if (slash == std::string::npos) {
    return ".";
  }
  const std::size_t parent_end = path.find_last_not_of('/', slash);
  return parent_end == std::string::npos ? "/" : path.substr(0, parent_end + 1);
}

}  // namespace penstock::os
