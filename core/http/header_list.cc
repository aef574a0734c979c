#include "core/http/header_list.h"

#include <functional>
#include <limits>

#include "core/http/field_syntax.h"
#include "io/check.h"

namespace portcullis::http {

std::optional<std::string_view> HeaderList::Get(std::string_view name) const {
  for (const Header header : *this) {
    if (EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return std::nullopt;
}

size_t HeaderList::Count(std::string_view name) const {
  size_t count = 0;
  for (const Header header : *this) count += EqualsIgnoreCase(header.name, name) ? 1 : 0;
  return count;
}

void HeaderList::Add(std::string_view name, std::string_view value) {
  // Growing the arena would pull it from under a view into it: secure the room first, and move such
  // views along.
  const char* const old = arena_.data();
  const size_t old_size = arena_.size();
  const std::less_equal<const char*> before;
  const auto inside = [&](std::string_view text) {
    return before(old, text.data()) && before(text.data(), old + old_size);
  };
  const bool name_inside = inside(name);
  const bool value_inside = inside(value);
  const size_t name_at = name_inside ? static_cast<size_t>(name.data() - old) : 0;
  const size_t value_at = value_inside ? static_cast<size_t>(value.data() - old) : 0;
  if (const size_t needed = old_size + name.size() + value.size(); needed > arena_.capacity()) {
    arena_.reserve(needed * 2);
    if (name_inside) name = {arena_.data() + name_at, name.size()};
    if (value_inside) value = {arena_.data() + value_at, value.size()};
  }
  Entry entry;
  entry.name_len = static_cast<uint32_t>(name.size());
  entry.name = Store(name);
  entry.value_len = static_cast<uint32_t>(value.size());
  entry.value = Store(value);
  entries_.push_back(entry);
}

void HeaderList::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

size_t HeaderList::Remove(std::string_view name) {
  return RemoveIf([name](const Header& header) { return EqualsIgnoreCase(header.name, name); });
}

void HeaderList::Clear() {
  arena_.clear();
  entries_.clear();
}

void HeaderList::BeginField() {
  const auto at = static_cast<uint32_t>(arena_.size());
  entries_.push_back({at, 0, at, 0});
}

void HeaderList::AppendName(std::string_view fragment) {
  Entry& entry = entries_.back();
  DCHECK(entry.name + entry.name_len == arena_.size() && entry.value_len == 0);
  entry.name_len += static_cast<uint32_t>(fragment.size());
  Store(fragment);
  entry.value = static_cast<uint32_t>(arena_.size());
}

void HeaderList::AppendValue(std::string_view fragment) {
  Entry& entry = entries_.back();
  DCHECK(entry.value + entry.value_len == arena_.size());
  entry.value_len += static_cast<uint32_t>(fragment.size());
  Store(fragment);
}

void HeaderList::TrimLastValue() {
  Entry& entry = entries_.back();
  const std::string_view all = View(entry.value, entry.value_len);
  const std::string_view trimmed = Trim(all);
  entry.value += trimmed.empty() ? 0 : static_cast<uint32_t>(trimmed.data() - all.data());
  entry.value_len = static_cast<uint32_t>(trimmed.size());
}

uint32_t HeaderList::Store(std::string_view text) {
  const size_t at = arena_.size();
  CHECK(at + text.size() <= std::numeric_limits<uint32_t>::max(), "header arena beyond 4 GiB");
  arena_.append(text);
  return static_cast<uint32_t>(at);
}

}  // namespace portcullis::http
