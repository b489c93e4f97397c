// Tables as text. The first byte chooses the options; every row is read to the end of the text,
// whatever is wrong with the rows before it.

#include <cstdint>
#include <cstdlib>

#include <mien/io/csv.hpp>

namespace {

// False at the end of the text.
bool read_row(mien::io::CsvReader& csv, std::size_t& field_bytes) {
  if (!csv.next()) return false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    field_bytes += csv[i].size();
    if (mien::io::parse_number<double>(csv[i])) csv.number<double>(i);
  }
  csv.number<std::int64_t>(csv.size() - 1);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mien;
  if (size == 0) return 0;
  const io::CsvOptions options{.separator = (*data & 1) != 0 ? ';' : ',',
                               .quoting = (*data & 2) != 0,
                               .trim = (*data & 4) != 0,
                               .max_line = (*data & 8) != 0 ? 64u : 4096u,
                               .max_fields = 20};
  io::CsvReader csv({reinterpret_cast<const char*>(data + 1), size - 1}, "input", options);
  std::size_t errors = 0, field_bytes = 0;
  try {
    csv.read_header();
    csv.column("valence");
  } catch (const Error&) {
  }
  for (bool more = true; more;) {
    try {
      more = read_row(csv, field_bytes);
    } catch (const Error&) {
      ++errors;
    }
  }
  if (errors > size || field_bytes > size) std::abort();
  return 0;
}
