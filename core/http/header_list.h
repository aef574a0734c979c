// HeaderList: the fields of one head or trailer section, in order, names compared without case. All
// text lies in one arena that Clear() keeps, so parsing a request on a warm connection allocates
// nothing.
//
// Views handed out are valid until the next call that changes the list. Arguments may be views into
// the list itself. Checks nothing: codecs validate what they parse, and Sanitize (header_rules.h)
// cleans what we make up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::http {

struct Header {
  std::string_view name;
  std::string_view value;
};

// EqualsIgnoreCase compares ASCII text without case.
[[nodiscard]] bool EqualsIgnoreCase(std::string_view a, std::string_view b);

class HeaderList {
 public:
  // For range-for only.
  class Iterator {
   public:
    Iterator(const HeaderList* list, size_t index) : list_(list), index_(index) {}
    Header operator*() const { return (*list_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const HeaderList* list_;
    size_t index_;
  };

  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // Bytes of text held, names and values, removed ones included.
  [[nodiscard]] size_t arena_bytes() const { return arena_.size(); }
  [[nodiscard]] Header operator[](size_t index) const {
    const Entry& entry = entries_[index];
    return {View(entry.name, entry.name_len), View(entry.value, entry.value_len)};
  }
  [[nodiscard]] Iterator begin() const { return {this, 0}; }
  [[nodiscard]] Iterator end() const { return {this, entries_.size()}; }

  // Get returns the first value of `name`; Count how many fields have it.
  [[nodiscard]] std::optional<std::string_view> Get(std::string_view name) const;
  [[nodiscard]] size_t Count(std::string_view name) const;
  [[nodiscard]] bool Has(std::string_view name) const { return Count(name) != 0; }

  // Add appends a field, whether or not the name is there already.
  void Add(std::string_view name, std::string_view value);
  // Set removes every field of that name and appends this one.
  void Set(std::string_view name, std::string_view value);
  // Remove and RemoveIf return how many fields went. Order is kept.
  size_t Remove(std::string_view name);
  template <typename Predicate>  // bool(const Header&)
  size_t RemoveIf(Predicate predicate) {
    return std::erase_if(entries_, [&](const Entry& entry) {
      return predicate(
          Header{View(entry.name, entry.name_len), View(entry.value, entry.value_len)});
    });
  }
  // Clear empties the list and keeps its storage.
  void Clear();

  // Piecewise building, for a parser that sees a field in fragments: Begin, then names, then
  // values.
  void BeginField();
  void AppendName(std::string_view fragment);
  void AppendValue(std::string_view fragment);
  // TrimLastValue drops spaces and tabs around the last field's value.
  void TrimLastValue();

 private:
  struct Entry {
    uint32_t name = 0;  // offsets into arena_
    uint32_t name_len = 0;
    uint32_t value = 0;
    uint32_t value_len = 0;
  };

  [[nodiscard]] std::string_view View(uint32_t offset, uint32_t length) const {
    return std::string_view(arena_).substr(offset, length);
  }
  uint32_t Store(std::string_view text);

  std::string arena_;
  std::vector<Entry> entries_;
};

}  // namespace portcullis::http
