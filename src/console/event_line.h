// EventLineWriter writes a record as one line of NDJSON, the way GET .../events shows it.
//
//   {"partition":0,"offset":17,"timestamp":"...Z","key":"..."|null,"headers":{...},"value":...}
//
// A value that is JSON text is copied byte for byte, except that line breaks between its tokens
// become spaces, so that a line stays a line. Any other value is a JSON string if it is UTF-8, else
// {"base64":"..."}; likewise keys and header values. A header that occurs more than once has an
// array of its values; headers that begin with `__penstock.` are ours and left out.
//
// Threads   one writer per thread.
#pragma once

#include <string>

#include "core/bytes.h"
#include "core/padded_buffer.h"
#include "record/record_batch.h"
#include "record/types.h"
#include "schema/json_scanner.h"

namespace penstock::console {

// How values are shown: as above, or always as {"base64":"..."}, for programs that need their
// bytes.
enum class ValueForm { kPlain, kBase64 };

class EventLineWriter {
 public:
  EventLineWriter();

  // Appends the line with its newline.
  void append(std::string& out, PartitionId partition, const RecordView& record, ValueForm form);

 private:
  void append_value(std::string& out, ByteView value, ValueForm form);

  JsonScanner scanner_;
  PaddedBuffer document_;
};

}  // namespace penstock::console
