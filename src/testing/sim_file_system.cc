#include "testing/sim_file_system.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/check.h"

namespace penstock::testing {
namespace {

using NodeId = std::uint64_t;

constexpr NodeId kRoot = 0;
constexpr std::size_t kTraceMax = 64;
// Of no file operation, so that write() can tell it from what it has to answer.
constexpr ErrorCode kLostWriteCode = ErrorCode::kFenced;

const char* name_of(DiskOp op) {
  switch (op) {
    case DiskOp::kOpen:
      return "open";
    case DiskOp::kRead:
      return "read";
    case DiskOp::kWrite:
      return "write";
    case DiskOp::kSync:
      return "sync";
    case DiskOp::kPreallocate:
      return "preallocate";
    case DiskOp::kTruncate:
      return "truncate";
    case DiskOp::kSize:
      return "size";
    case DiskOp::kCreateDirectories:
      return "create_directories";
    case DiskOp::kSyncDirectory:
      return "sync_directory";
    case DiskOp::kList:
      return "list";
    case DiskOp::kRename:
      return "rename";
    case DiskOp::kRemove:
      return "remove";
    case DiskOp::kExists:
      return "exists";
    case DiskOp::kFreeSpace:
      return "free_space";
    case DiskOp::kLock:
      return "lock";
  }
  return "?";
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin && path.compare(begin, end - begin, ".") != 0) {
      parts.push_back(path.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return parts;
}

Error not_found(const std::string& path) {
  return {ErrorCode::kNotFound, path + ": No such file or directory"};
}

Error invalid(const std::string& path, const char* reason) {
  return {ErrorCode::kInvalid, path + ": " + reason};
}

Error no_space(const std::string& path) {
  return {ErrorCode::kBusy, path + ": No space left on device"};
}

Error no_power() {
  return {ErrorCode::kFatal, "the simulated machine has lost power"};
}

}  // namespace

// The tree of directories, twice (as seen and as durable), with the changes that lie between.
class SimFileSystem::State {
 public:
  explicit State(Options options) : options_(options), random_(options.seed) {
    nodes_[kRoot].is_directory = true;
  }

  struct Handle {
    NodeId node;
    std::uint64_t boot;
    os::OpenOptions options;
    std::string path;
  };

  [[nodiscard]] Result<Handle> open(const std::string& path, os::OpenOptions options) {
    const bool creates =
        options.mode == os::OpenMode::kCreate || options.mode == os::OpenMode::kCreateNew;
    PENSTOCK_TRY_ASSIGN(const Place place, find(path));
    const bool fresh = creates && !place.node.has_value();
    PENSTOCK_TRY_ASSIGN(const bool dying, begin(DiskOp::kOpen, path, fresh));
    if (options.direct && options_.refuses_direct) {
      return invalid(path, "direct I/O is refused");
    }
    if (!place.node.has_value() && !creates) {
      return not_found(path);
    }
    if (place.node.has_value() && options.mode == os::OpenMode::kCreateNew) {
      return invalid(path, "File exists");
    }
    if (place.node.has_value() && nodes_.at(*place.node).is_directory) {
      return invalid(path, "Is a directory");
    }
    const NodeId node = fresh ? create(place, /*is_directory=*/false) : *place.node;
    if (dying) {
      return no_power();
    }
    ++nodes_.at(node).open_count;
    return Handle{node, boot_, options, path};
  }

  void close(const Handle& handle) {
    if (handle.boot == boot_) {
      --nodes_.at(handle.node).open_count;
      collect();
    }
  }

  [[nodiscard]] Result<std::size_t> read(const Handle& handle, std::uint64_t offset,
                                         std::span<std::byte> into) {
    PENSTOCK_TRY(begin(handle, DiskOp::kRead, /*changes=*/false));
    PENSTOCK_TRY(check_alignment(handle, offset, into));
    return contents(handle).read(offset, into);
  }

  [[nodiscard]] Status write(const Handle& handle, std::uint64_t offset, ByteView bytes) {
    if (handle.options.mode == os::OpenMode::kRead) {
      return Error(ErrorCode::kFatal, handle.path + ": opened for reading only");
    }
    PENSTOCK_TRY(check_alignment(handle, offset, bytes));
    SimFileContents& file = contents(handle);
    const Result<bool> begun = begin(handle, DiskOp::kWrite, /*changes=*/true);
    if (!begun) {
      if (!power_lost_) {
        write_in_part(file, offset, bytes);
      }
      return begun.error().code() == kLostWriteCode ? Status() : begun.error();
    }
    if (!fits(file.needed_to_write(offset, bytes.size()))) {
      write_in_part(file, offset, bytes);
      return no_space(handle.path);
    }
    file.write(offset, bytes);
    if (*begun) {
      return no_power();
    }
    if (handle.options.sync_write && options_.sync_mode == SyncMode::kHonest) {
      file.sync_range(offset, bytes.size());
    }
    return {};
  }

  [[nodiscard]] Status sync(const Handle& handle) {
    const Result<bool> begun = begin(handle, DiskOp::kSync, /*changes=*/true);
    if (!begun) {
      if (!power_lost_) {
        contents(handle).fail_sync(random_);
      }
      return begun.error();
    }
    if (*begun) {
      return no_power();
    }
    if (options_.sync_mode == SyncMode::kHonest) {
      contents(handle).sync();
    }
    return {};
  }

  [[nodiscard]] Status preallocate(const Handle& handle, std::uint64_t size) {
    PENSTOCK_TRY_ASSIGN(const bool dying, begin(handle, DiskOp::kPreallocate, /*changes=*/true));
    SimFileContents& file = contents(handle);
    if (!fits(file.needed_to_preallocate(size))) {
      return no_space(handle.path);
    }
    file.preallocate(size);
    return dying ? Status(no_power()) : Status();
  }

  [[nodiscard]] Status truncate(const Handle& handle, std::uint64_t size) {
    PENSTOCK_TRY_ASSIGN(const bool dying, begin(handle, DiskOp::kTruncate, /*changes=*/true));
    contents(handle).truncate(size);
    return dying ? Status(no_power()) : Status();
  }

  [[nodiscard]] Result<std::uint64_t> size(const Handle& handle) {
    PENSTOCK_TRY(begin(handle, DiskOp::kSize, /*changes=*/false));
    return contents(handle).size();
  }

  [[nodiscard]] Status create_directories(const std::string& path) {
    PENSTOCK_TRY_ASSIGN(const bool dying, begin(DiskOp::kCreateDirectories, path, true));
    NodeId at = kRoot;
    for (const std::string& name : split(path)) {
      const auto found = nodes_.at(at).entries.find(name);
      if (found == nodes_.at(at).entries.end()) {
        const NodeId parent = at;
        at = create({parent, name, std::nullopt}, /*is_directory=*/true);
        if (!dying && options_.sync_mode == SyncMode::kHonest) {
          settle(parent);
        }
      } else {
        at = found->second;
      }
      if (!nodes_.at(at).is_directory) {
        return invalid(path, "there is a file of that name");
      }
    }
    return dying ? Status(no_power()) : Status();
  }

  [[nodiscard]] Status sync_directory(const std::string& path) {
    PENSTOCK_TRY_ASSIGN(const bool dying, begin(DiskOp::kSyncDirectory, path, true));
    PENSTOCK_TRY_ASSIGN(const NodeId directory, find_directory(path));
    if (dying) {
      return no_power();
    }
    if (options_.sync_mode == SyncMode::kHonest) {
      settle(directory);
    }
    return {};
  }

  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) {
    PENSTOCK_TRY(begin(DiskOp::kList, path, false));
    PENSTOCK_TRY_ASSIGN(const NodeId directory, find_directory(path));
    std::vector<std::string> names;
    for (const auto& [name, node] : nodes_.at(directory).entries) {
      names.push_back(name);
    }
    return names;
  }

  [[nodiscard]] Status rename(const std::string& from, const std::string& to) {
    PENSTOCK_TRY_ASSIGN(const bool dying, begin(DiskOp::kRename, from, true));
    PENSTOCK_TRY_ASSIGN(const Place source, find(from));
    PENSTOCK_TRY_ASSIGN(const Place target, find(to));
    if (!source.node.has_value()) {
      return not_found(from);
    }
    if (target.node.has_value() && nodes_.at(*target.node).is_directory) {
      return invalid(to, "is a directory");
    }
    record({Change::Kind::kRename, target.directory, target.name, *source.node, source.directory,
            source.name});
    collect();
    return dying ? Status(no_power()) : Status();
  }

  [[nodiscard]] Status remove(const std::string& path) {
    PENSTOCK_TRY_ASSIGN(const bool dying, begin(DiskOp::kRemove, path, true));
    PENSTOCK_TRY_ASSIGN(const Place place, find(path));
    if (!place.node.has_value()) {
      return not_found(path);
    }
    if (!nodes_.at(*place.node).entries.empty()) {
      return invalid(path, "Directory not empty");
    }
    record({Change::Kind::kRemove, place.directory, place.name, *place.node, 0, ""});
    collect();
    return dying ? Status(no_power()) : Status();
  }

  [[nodiscard]] Result<bool> exists(const std::string& path) {
    PENSTOCK_TRY(begin(DiskOp::kExists, path, false));
    const Result<Place> place = find(path);
    return split(path).empty() || (place.has_value() && place->node.has_value());
  }

  [[nodiscard]] Result<std::uint64_t> free_space(const std::string& path) {
    PENSTOCK_TRY(begin(DiskOp::kFreeSpace, path, false));
    return free_bytes();
  }

  [[nodiscard]] Result<std::uint64_t> lock(const std::string& path) {
    PENSTOCK_TRY_ASSIGN(const bool dying, begin(DiskOp::kLock, path, true));
    PENSTOCK_TRY_ASSIGN(const Place place, find(path));
    if (!place.node.has_value()) {
      create(place, /*is_directory=*/false);
    }
    if (dying) {
      return no_power();
    }
    if (!locked_.insert(path).second) {
      return Error(ErrorCode::kBusy, path + " is locked: another process is using it");
    }
    return boot_;
  }

  void unlock(const std::string& path, std::uint64_t boot) {
    if (boot == boot_) {
      locked_.erase(path);
    }
  }

  void inject(DiskFault fault) { faults_.push_back(std::move(fault)); }

  void clear_faults() { faults_.clear(); }

  void lose_power_during(std::uint64_t nth_change) {
    dying_change_ = nth_change == 0 ? 0 : changes_ + nth_change;
  }

  [[nodiscard]] bool power_lost() const { return power_lost_; }

  void crash(std::optional<std::uint64_t> seed) {
    if (seed.has_value()) {
      random_ = os::SeededRandom(*seed);
    }
    const std::uint64_t roll = random_.below(10);
    const CrashMood mood = roll < 2   ? CrashMood::kKeepAll
                           : roll < 4 ? CrashMood::kLoseAll
                                      : CrashMood::kMixed;
    for (const Change& change : unsettled_) {
      if (mood == CrashMood::kKeepAll || (mood == CrashMood::kMixed && random_.below(2) == 0)) {
        apply(change, &Node::durable_entries);
      }
    }
    unsettled_.clear();
    for (auto& [id, node] : nodes_) {
      node.entries = node.durable_entries;
      node.open_count = 0;
      node.contents.crash(random_, mood);
    }
    ++boot_;
    power_lost_ = false;
    dying_change_ = 0;
    locked_.clear();
    faults_.clear();
    collect();
  }

  // The process died and the system lives: nothing is forgotten.
  void kill_process() {
    for (auto& [id, node] : nodes_) {
      node.open_count = 0;
    }
    ++boot_;
    locked_.clear();
    collect();
  }

  void set_capacity(std::uint64_t bytes) { options_.capacity_bytes = bytes; }

  void set_sync_mode(SyncMode mode) { options_.sync_mode = mode; }

  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  [[nodiscard]] std::uint64_t count(DiskOp op) const {
    const auto found = counts_.find(op);
    return found == counts_.end() ? 0 : found->second;
  }

  [[nodiscard]] std::uint64_t used_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [id, node] : nodes_) {
      bytes += node.is_seen ? node.contents.allocated_bytes() : 0;
    }
    return bytes;
  }

  [[nodiscard]] std::string recent_operations() const {
    std::string text;
    for (const auto& [op, path] : trace_) {
      text += std::string(name_of(op)) + " " + path + "\n";
    }
    return text;
  }

  [[nodiscard]] std::unique_ptr<State> clone(std::uint64_t seed) const {
    auto copy = std::make_unique<State>(*this);
    copy->random_ = os::SeededRandom(seed);
    copy->kill_process();
    copy->faults_.clear();
    return copy;
  }

  [[nodiscard]] Status flip_bit(const std::string& path, std::uint64_t bit) {
    PENSTOCK_TRY_ASSIGN(const Place place, find(path));
    if (!place.node.has_value()) {
      return not_found(path);
    }
    SimFileContents& file = nodes_.at(*place.node).contents;
    if (bit / 8 >= file.size()) {
      return invalid(path, "there is no such bit");
    }
    std::byte byte{};
    PENSTOCK_CHECK(file.read(bit / 8, {&byte, 1}) == 1);
    byte ^= static_cast<std::byte>(1U << (bit % 8));
    file.write(bit / 8, {&byte, 1});
    file.sync_range(bit / 8, 1);
    return {};
  }

 private:
  using Entries = std::map<std::string, NodeId>;

  struct Node {
    bool is_directory = false;
    bool is_seen = true;  // has a name or is open, so that it takes space
    std::uint64_t open_count = 0;
    SimFileContents contents;
    Entries entries;
    Entries durable_entries;
  };

  // One change of a directory, durable once that directory is synced.
  struct Change {
    enum class Kind { kCreate, kRename, kRemove };

    Kind kind;
    NodeId directory;
    std::string name;
    NodeId node;
    NodeId from_directory;
    std::string from_name;
  };

  // Where a path leads: its directory and name, and what is there.
  struct Place {
    NodeId directory;
    std::string name;
    std::optional<NodeId> node;
  };

  // Counts the operation and lets it fail if it has to. True: power is being lost during it.
  [[nodiscard]] Result<bool> begin(DiskOp op, const std::string& path, bool changes) {
    if (power_lost_) {
      return no_power();
    }
    ++counts_[op];
    trace_.emplace_back(op, path);
    if (trace_.size() > kTraceMax) {
      trace_.pop_front();
    }
    if (changes) {
      ++changes_;
      if (changes_ == dying_change_) {
        power_lost_ = true;
        return true;
      }
    }
    PENSTOCK_TRY(meet_fault(op, path));
    return false;
  }

  [[nodiscard]] Result<bool> begin(const Handle& handle, DiskOp op, bool changes) {
    if (handle.boot != boot_) {
      return no_power();
    }
    return begin(op, handle.path, changes);
  }

  [[nodiscard]] Status meet_fault(DiskOp op, const std::string& path) {
    for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
      if (fault->op != op || path.find(fault->path_contains) == std::string::npos) {
        continue;
      }
      if (fault->nth > 1) {
        --fault->nth;
        continue;
      }
      const DiskFault::Kind fault_kind = fault->kind;
      const bool is_space = fault_kind == DiskFault::Kind::kNoSpace;
      if (--fault->repeats == 0) {
        faults_.erase(fault);
      }
      if (fault_kind == DiskFault::Kind::kLostWrite) {
        return Error(kLostWriteCode, "the write is lost");
      }
      // As on a real disk, any failure of a sync is fatal, see os/file_system.h.
      if (is_space && op != DiskOp::kSync && op != DiskOp::kSyncDirectory) {
        return no_space(path);
      }
      return Error(ErrorCode::kFatal,
                   "cannot " + std::string(name_of(op)) + " " + path + ": Input/output error");
    }
    return {};
  }

  [[nodiscard]] static Status check_alignment(const Handle& handle, std::uint64_t offset,
                                              ByteView memory) {
    const auto misaligned = [](std::uint64_t number) { return number % os::kDirectAlignment != 0; };
    if (handle.options.direct && (misaligned(offset) || misaligned(memory.size()) ||
                                  misaligned(reinterpret_cast<std::uintptr_t>(memory.data())))) {
      return invalid(handle.path, "direct I/O needs aligned offset, length and memory");
    }
    return {};
  }

  SimFileContents& contents(const Handle& handle) { return nodes_.at(handle.node).contents; }

  void write_in_part(SimFileContents& file, std::uint64_t offset, ByteView bytes) {
    const std::size_t limit = std::min<std::uint64_t>(
        bytes.size(), free_bytes() / SimFileContents::kPageSize * SimFileContents::kPageSize);
    file.write(offset, bytes.first(random_.below(limit + 1)));
  }

  [[nodiscard]] std::uint64_t free_bytes() const {
    if (options_.capacity_bytes == kUnlimited) {
      return kUnlimited;
    }
    const std::uint64_t used = used_bytes();
    return used >= options_.capacity_bytes ? 0 : options_.capacity_bytes - used;
  }

  [[nodiscard]] bool fits(std::uint64_t bytes) const {
    return options_.capacity_bytes == kUnlimited || bytes == 0 || bytes <= free_bytes();
  }

  [[nodiscard]] Result<NodeId> find_directory(const std::string& path) const {
    NodeId at = kRoot;
    for (const std::string& name : split(path)) {
      const Entries& entries = nodes_.at(at).entries;
      const auto found = entries.find(name);
      if (found == entries.end()) {
        return not_found(path);
      }
      at = found->second;
    }
    if (!nodes_.at(at).is_directory) {
      return not_found(path);
    }
    return at;
  }

  [[nodiscard]] Result<Place> find(const std::string& path) const {
    std::vector<std::string> parts = split(path);
    if (parts.empty()) {
      return invalid(path, "is not the path of a file");
    }
    const std::string name = std::move(parts.back());
    parts.pop_back();
    std::string parent;
    for (const std::string& part : parts) {
      parent += "/" + part;
    }
    PENSTOCK_TRY_ASSIGN(const NodeId directory, find_directory(parent));
    const Entries& entries = nodes_.at(directory).entries;
    const auto found = entries.find(name);
    return Place{directory, name,
                 found == entries.end() ? std::nullopt : std::optional(found->second)};
  }

  NodeId create(const Place& place, bool is_directory) {
    const NodeId id = ++last_node_;
    nodes_[id].is_directory = is_directory;
    record({Change::Kind::kCreate, place.directory, place.name, id, 0, ""});
    return id;
  }

  // Makes a change that is seen at once and durable later.
  void record(Change change) {
    apply(change, &Node::entries);
    unsettled_.push_back(std::move(change));
  }

  void apply(const Change& change, Entries Node::*entries) {
    Entries& directory = nodes_.at(change.directory).*entries;
    switch (change.kind) {
      case Change::Kind::kCreate:
        directory[change.name] = change.node;
        break;
      case Change::Kind::kRename:
        erase_entry(nodes_.at(change.from_directory).*entries, change.from_name, change.node);
        directory[change.name] = change.node;
        break;
      case Change::Kind::kRemove:
        erase_entry(directory, change.name, change.node);
        break;
    }
  }

  static void erase_entry(Entries& entries, const std::string& name, NodeId node) {
    const auto found = entries.find(name);
    if (found != entries.end() && found->second == node) {
      entries.erase(found);
    }
  }

  // Makes the changes of one directory durable.
  void settle(NodeId directory) {
    std::vector<Change> others;
    for (Change& change : unsettled_) {
      if (change.directory == directory) {
        apply(change, &Node::durable_entries);
      } else {
        others.push_back(std::move(change));
      }
    }
    unsettled_ = std::move(others);
    collect();
  }

  // Finds what has no name and is not open; drops what could not come back after a crash either.
  void collect() {
    std::set<NodeId> seen{kRoot};
    std::set<NodeId> kept{kRoot};
    for (const auto& [id, node] : nodes_) {
      if (node.open_count > 0) {
        seen.insert(id);
      }
      for (const auto& [name, entry] : node.entries) {
        seen.insert(entry);
      }
      for (const auto& [name, entry] : node.durable_entries) {
        kept.insert(entry);
      }
    }
    for (const Change& change : unsettled_) {
      kept.insert({change.directory, change.node, change.from_directory});
    }
    kept.insert(seen.begin(), seen.end());
    std::erase_if(nodes_, [&](const auto& entry) { return !kept.contains(entry.first); });
    for (auto& [id, node] : nodes_) {
      node.is_seen = seen.contains(id);
    }
  }

  Options options_;
  os::SeededRandom random_;
  std::map<NodeId, Node> nodes_;
  NodeId last_node_ = kRoot;
  std::vector<Change> unsettled_;
  std::vector<DiskFault> faults_;
  std::map<DiskOp, std::uint64_t> counts_;
  std::set<std::string> locked_;
  std::deque<std::pair<DiskOp, std::string>> trace_;
  std::uint64_t changes_ = 0;
  std::uint64_t dying_change_ = 0;
  std::uint64_t boot_ = 1;  // Files and locks of an earlier one are dead
  bool power_lost_ = false;
};

class SimFileSystem::SimFile final : public os::File {
 public:
  SimFile(SimFileSystem& disk, State::Handle handle) : disk_(disk), handle_(std::move(handle)) {}

  ~SimFile() override {
    disk_.state_.with([&](auto& state) { state->close(handle_); });
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
    return disk_.state_.with([&](auto& state) { return state->read(handle_, offset, into); });
  }

  Status write_at(std::uint64_t offset, ByteView bytes) override {
    return disk_.state_.with([&](auto& state) { return state->write(handle_, offset, bytes); });
  }

  Status sync() override {
    return disk_.state_.with([&](auto& state) { return state->sync(handle_); });
  }

  Status preallocate(std::uint64_t size) override {
    return disk_.state_.with([&](auto& state) { return state->preallocate(handle_, size); });
  }

  Status truncate(std::uint64_t size) override {
    return disk_.state_.with([&](auto& state) { return state->truncate(handle_, size); });
  }

  Result<std::uint64_t> size() const override {
    return disk_.state_.with([&](auto& state) { return state->size(handle_); });
  }

 private:
  SimFileSystem& disk_;
  State::Handle handle_;
};

class SimFileSystem::SimFileLock final : public os::FileLock {
 public:
  SimFileLock(SimFileSystem& disk, std::string path, std::uint64_t boot)
      : disk_(disk), path_(std::move(path)), boot_(boot) {}

  ~SimFileLock() override {
    disk_.state_.with([&](auto& state) { state->unlock(path_, boot_); });
  }

 private:
  SimFileSystem& disk_;
  std::string path_;
  std::uint64_t boot_;
};

SimFileSystem::SimFileSystem() : SimFileSystem(Options{}) {}

SimFileSystem::SimFileSystem(Options options) : SimFileSystem(std::make_unique<State>(options)) {}

SimFileSystem::SimFileSystem(std::unique_ptr<State> state) : state_(std::move(state)) {}

SimFileSystem::~SimFileSystem() = default;

Result<std::unique_ptr<os::File>> SimFileSystem::open(const std::string& path,
                                                      os::OpenOptions options) {
  PENSTOCK_TRY_ASSIGN(State::Handle handle,
                      state_.with([&](auto& state) { return state->open(path, options); }));
  return std::unique_ptr<os::File>(std::make_unique<SimFile>(*this, std::move(handle)));
}

Status SimFileSystem::create_directories(const std::string& path) {
  return state_.with([&](auto& state) { return state->create_directories(path); });
}

Status SimFileSystem::sync_directory(const std::string& path) {
  return state_.with([&](auto& state) { return state->sync_directory(path); });
}

Result<std::vector<std::string>> SimFileSystem::list(const std::string& path) {
  return state_.with([&](auto& state) { return state->list(path); });
}

Status SimFileSystem::rename(const std::string& from, const std::string& to) {
  return state_.with([&](auto& state) { return state->rename(from, to); });
}

Status SimFileSystem::remove(const std::string& path) {
  return state_.with([&](auto& state) { return state->remove(path); });
}

Result<bool> SimFileSystem::exists(const std::string& path) {
  return state_.with([&](auto& state) { return state->exists(path); });
}

Result<std::uint64_t> SimFileSystem::free_space(const std::string& path) {
  return state_.with([&](auto& state) { return state->free_space(path); });
}

Result<std::unique_ptr<os::FileLock>> SimFileSystem::lock_file(const std::string& path) {
  PENSTOCK_TRY_ASSIGN(const std::uint64_t boot,
                      state_.with([&](auto& state) { return state->lock(path); }));
  return std::unique_ptr<os::FileLock>(std::make_unique<SimFileLock>(*this, path, boot));
}

void SimFileSystem::inject(DiskFault fault) {
  state_.with([&](auto& state) { state->inject(std::move(fault)); });
}

void SimFileSystem::clear_faults() {
  state_.with([](auto& state) { state->clear_faults(); });
}

void SimFileSystem::lose_power_during(std::uint64_t nth_change) {
  state_.with([&](auto& state) { state->lose_power_during(nth_change); });
}

bool SimFileSystem::power_lost() const {
  return state_.with([](const auto& state) { return state->power_lost(); });
}

void SimFileSystem::crash() {
  state_.with([](auto& state) { state->crash(std::nullopt); });
}

void SimFileSystem::crash(std::uint64_t seed) {
  state_.with([&](auto& state) { state->crash(seed); });
}

void SimFileSystem::kill_process() {
  state_.with([](auto& state) { state->kill_process(); });
}

void SimFileSystem::set_capacity(std::uint64_t bytes) {
  state_.with([&](auto& state) { state->set_capacity(bytes); });
}

void SimFileSystem::set_sync_mode(SyncMode mode) {
  state_.with([&](auto& state) { state->set_sync_mode(mode); });
}

std::uint64_t SimFileSystem::changes() const {
  return state_.with([](const auto& state) { return state->changes(); });
}

std::uint64_t SimFileSystem::count(DiskOp op) const {
  return state_.with([&](const auto& state) { return state->count(op); });
}

std::uint64_t SimFileSystem::used_bytes() const {
  return state_.with([](const auto& state) { return state->used_bytes(); });
}

std::string SimFileSystem::recent_operations() const {
  return state_.with([](const auto& state) { return state->recent_operations(); });
}

std::unique_ptr<SimFileSystem> SimFileSystem::clone(std::uint64_t seed) const {
  auto copy = state_.with([&](const auto& state) { return state->clone(seed); });
  return std::unique_ptr<SimFileSystem>(new SimFileSystem(std::move(copy)));
}

Status SimFileSystem::flip_bit(const std::string& path, std::uint64_t bit) {
  return state_.with([&](auto& state) { return state->flip_bit(path, bit); });
}

}  // namespace penstock::testing
