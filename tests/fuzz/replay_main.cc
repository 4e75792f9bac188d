// Runs a fuzz target over the files of its corpus where libFuzzer is not linked: `fuzz_x PATH...`,
// each PATH a file or a folder. Fails if there is no file at all, so that a lost corpus shows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& path) {
  if (!fs::is_directory(path)) {
    return {path};
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The input has its own allocation of exactly its size: AddressSanitizer sees one byte too many.
void replay(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw fs::filesystem_error("cannot read", file, std::make_error_code(std::errc::io_error));
  }
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::vector<std::uint8_t> input(text.begin(), text.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

int replay_all(const std::vector<std::string>& paths) {
  std::size_t count = 0;
  for (const std::string& path : paths) {
    for (const fs::path& file : files_below(path)) {
      std::fprintf(stderr, "replay %s\n", file.c_str());
      replay(file);
      ++count;
    }
  }
  if (count == 0) {
    std::fprintf(stderr, "nothing to replay: the corpus is empty\n");
    return 1;
  }
  std::fprintf(stderr, "replayed %zu inputs\n", count);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return replay_all({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
