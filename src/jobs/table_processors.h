// The steps of a table job; see table_job.h.
//
// Threads   one each.
#pragma once

#include <optional>
#include <vector>

#include "jobs/group_reader.h"
#include "jobs/repartition.h"
#include "jobs/table_job.h"
#include "store/table_store.h"
#include "topology/processor.h"

namespace penstock::jobs {

// Puts the events of its partition into the table.
class KeepProcessor final : public topology::Processor {
 public:
  explicit KeepProcessor(const TableOptions& options);

  [[nodiscard]] Status init(topology::ProcessorContext& context) override;
  [[nodiscard]] Status process(const topology::RecordSpan& records) override;

 private:
  const std::string store_name_;
  const GroupPlan plan_;
  GroupReader reader_;
  topology::ProcessorContext* context_ = nullptr;
  store::TableStore* store_ = nullptr;
  std::vector<store::TableStore::Update> updates_;
};

// Sends the events of its partition to the partitions of their groups.
class RekeyProcessor final : public topology::Processor {
 public:
  explicit RekeyProcessor(const TableOptions& options);

  [[nodiscard]] Status init(topology::ProcessorContext& context) override;
  [[nodiscard]] Status process(const topology::RecordSpan& records) override;
  [[nodiscard]] Status before_commit() override;

  void committed() override { writer_->clear(); }

  void aborted() override { writer_->clear(); }

 private:
  const GroupPlan plan_;
  GroupReader reader_;
  topology::ProcessorContext* context_ = nullptr;
  std::optional<RepartitionWriter> writer_;
  Bytes value_;
};

// Puts into the table what RekeyProcessors sent.
class KeepRekeyedProcessor final : public topology::Processor {
 public:
  explicit KeepRekeyedProcessor(TableOptions options) : options_(std::move(options)) {}

  [[nodiscard]] Status init(topology::ProcessorContext& context) override;
  [[nodiscard]] Status process(const topology::RecordSpan& records) override;

 private:
  [[nodiscard]] Status take(ByteView key, ByteView value);

  const TableOptions options_;
  store::TableStore* store_ = nullptr;
  std::vector<store::TableStore::Update> updates_;
};

}  // namespace penstock::jobs
