#include "core/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "core/config/text.h"
#include "core/config/yaml_text.h"

namespace portcullis::config {
namespace {

Position At(const YAML::Mark& mark) {
  if (mark.is_null()) return {1, 1};
  return {mark.line + 1, mark.column + 1};
}

// Returns yaml-cpp's words. They may quote one byte of the text, be it a line break or a part of a
// character.
std::string Explanation(const YAML::Exception& error) {
  std::string ascii = error.msg;
  std::replace_if(
      ascii.begin(), ascii.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; }, '?');
  return Printable(ascii);
}

// Puts the tree together from events. Only the first document counts; the start of a second is an
// error.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(YamlTree& tree, Diagnostics& diagnostics) : tree_(tree), diagnostics_(diagnostics) {}

  // last_scalar returns where the last scalar starts, 0:0 if there was none.
  [[nodiscard]] Position last_scalar() const { return last_scalar_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++num_documents_ != 2) return;
    diagnostics_.Error({At(mark), "", "a second document", "one YAML document a file", ""});
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (num_documents_ == 1) Place(New(YamlKind::kNull, mark, anchor));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (num_documents_ != 1) return;
    CheckTag(mark, tag);
    last_scalar_ = At(mark);
    YamlNode& node = New(YamlKind::kScalar, mark, anchor);
    node.text = value;
    Place(node);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(YamlKind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(YamlKind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (num_documents_ != 1) return;
    YamlNode* target = nullptr;
    if (const auto it = anchored_.find(anchor); it != anchored_.end()) target = it->second;
    const bool around = std::any_of(open_.begin(), open_.end(),
                                    [target](const OpenNode& open) { return open.node == target; });
    if (around) {
      diagnostics_.Error({At(mark), "", "an alias for a value around it",
                          "an alias for an earlier, complete value", ""});
    }
    // An empty value is made anew, for each takes the place of its key.
    const bool fresh = target == nullptr || around || target->kind == YamlKind::kNull;
    Place(fresh ? New(YamlKind::kNull, mark, 0) : *target);
  }

 private:
  // A list or map under construction; `key` waits for its value.
  struct OpenNode {
    YamlNode* node;
    const YamlNode* key = nullptr;
  };

  YamlNode& New(YamlKind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    YamlNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.where = At(mark);
    if (anchor != 0) anchored_[anchor] = &node;
    return node;
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    // yaml-cpp's tags for plain and for quoted values that have none of their own.
    if (tag.empty() || tag == "?" || tag == "!") return;
    diagnostics_.Error({At(mark), "", Concat("the tag ", Quoted(tag)), "values without tags", ""});
  }

  void Open(YamlKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (num_documents_ != 1) return;
    CheckTag(mark, tag);
    open_.push_back({&New(kind, mark, anchor)});
  }

  void Close() {
    if (num_documents_ != 1) return;
    YamlNode& node = *open_.back().node;
    open_.pop_back();
    Place(node);
  }

  // Hangs a finished value where it belongs.
  void Place(YamlNode& node) {
    if (open_.empty()) {
      tree_.root = &node;
      return;
    }
    OpenNode& parent = open_.back();
    parent.node->num_values += node.num_values;
    if (parent.node->num_values > YamlTree::kMaxValues) {
      ReportTooMany(node);
      return;
    }
    if (parent.node->kind == YamlKind::kList) {
      parent.node->items.push_back(&node);
    } else if (parent.key == nullptr) {
      parent.key = &node;
    } else {
      // yaml-cpp places an empty value at the token behind it, often on the next line.
      if (node.kind == YamlKind::kNull) node.where = parent.key->where;
      parent.node->entries.push_back({std::exchange(parent.key, nullptr), &node});
    }
  }

  void ReportTooMany(const YamlNode& node) {
    if (std::exchange(too_many_, true)) return;
    diagnostics_.Error({node.where, "", "too many values",
                        Concat("at most ", YamlTree::kMaxValues, " values"),
                        "nested aliases multiply"});
  }

  YamlTree& tree_;
  Diagnostics& diagnostics_;
  std::vector<OpenNode> open_;
  std::map<YAML::anchor_t, YamlNode*> anchored_;
  Position last_scalar_;
  int num_documents_ = 0;
  bool too_many_ = false;
};

}  // namespace

YamlTree ParseYaml(std::string_view text, Diagnostics& diagnostics) {
  YamlTree tree;
  // yaml-cpp drops a byte order mark too; its places do not count it.
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!CheckYamlText(text, diagnostics)) return tree;
  TreeBuilder builder(tree, diagnostics);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    // Twice at most: the second time only tells whether there is more.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    diagnostics.Error(
        {At(error.mark), "", Concat("a syntax error (", Explanation(error), ")"), "YAML", ""});
  }
  if (diagnostics.ok()) CheckQuotesClosed(text, builder.last_scalar(), diagnostics);
  if (!diagnostics.ok()) tree.root = nullptr;
  return tree;
}

std::string DescribeFound(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::kNull:
      return "nothing";
    case YamlKind::kScalar:
      return Quoted(node.text);
    case YamlKind::kList:
      return "a list";
    case YamlKind::kMap:
      return "a mapping";
  }
  return {};
}

}  // namespace portcullis::config
