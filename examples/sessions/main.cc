// Visits, of the page views on standard input.
#include "dsl/windows.h"
#include "kit/program.h"
#include "sessions/sessions.h"

namespace {

using penstock::ByteView;
using penstock::dsl::Serde;
using penstock::dsl::SessionWindowed;

std::optional<kit::Record> parse(std::istream& words) {
  std::string user;
  sessions::View view;
  words >> user >> view.page >> view.time;
  return words ? std::optional(kit::make_record("views", user, view, view.time)) : std::nullopt;
}

std::string print(ByteView key, ByteView value) {
  const auto user = Serde<SessionWindowed<std::string>>::decode(key);
  const auto visit = Serde<sessions::Visit>::decode(value);
  return user->key + " " + to_string(user->window.start) + " " + to_string(user->window.end) + " " +
         std::to_string(visit->views) + " " + visit->first.page + " " + visit->last.page;
}

}  // namespace

int main(int count, char** arguments) {
  return kit::run({.name = "sessions",
                   .usage = "  anna /home 1000     (user, page, milliseconds)",
                   .inputs = {"views"},
                   .output = "visits",
                   .make_topology = sessions::make_topology,
                   .parse = parse,
                   .print = print},
                  count, arguments);
}
