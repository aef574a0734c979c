// client_auth.policy: lists of rules, a rule being fields of the certificate with the values they
// may have. The fields and the forms of their values are tls::Policy's.

#include <algorithm>
#include <set>
#include <utility>

#include "core/config/sections.h"
#include "core/config/text.h"
#include "tls/match_values.h"

namespace portcullis::config {
namespace {

void ReadMatchValue(ReadContext& context, const Value& value, tls::MatchSpec& match) {
  if (value.node.kind != YamlKind::kScalar) {
    Reject(context, value, tls::AllowedValues(match.field));
    return;
  }
  const absl::Status status = tls::CanonicalValue(match.field, value.node.text).status();
  if (!status.ok()) {
    Reject(context, value, tls::AllowedValues(match.field), std::string(status.message()));
    return;
  }
  match.values.push_back(value.node.text);
}

// One value, or a list of them.
void ReadMatch(ReadContext& context, MapReader& reader, tls::MatchField field,
               tls::RuleSpec& rule) {
  const std::optional<Value> value = reader.Take(tls::FieldName(field));
  if (!value) return;
  tls::MatchSpec match{.field = field, .values = {}};
  if (value->node.kind == YamlKind::kList && !value->node.items.empty()) {
    for (size_t i = 0; i < value->node.items.size(); ++i) {
      ReadMatchValue(context, {*value->node.items[i], ItemPath(value->path, i)}, match);
    }
  } else if (value->node.kind == YamlKind::kList) {
    context.diagnostics.Error(
        {value->node.where, value->path, "an empty list", "one value or more", ""});
  } else {
    ReadMatchValue(context, *value, match);
  }
  rule.all_of.push_back(std::move(match));
}

tls::RuleSpec ReadRule(ReadContext& context, Value value, std::set<std::string>& names) {
  tls::RuleSpec rule;
  const bool is_map = value.node.kind == YamlKind::kMap || value.node.kind == YamlKind::kNull;
  const size_t num_written = value.node.entries.size();
  MapReader reader(context, std::move(value));
  std::vector<std::string_view> fields;
  reader.Text("name", kNameRule, rule.name);
  for (int i = 0; i < tls::kNumMatchFields; ++i) {
    const auto field = static_cast<tls::MatchField>(i);
    fields.push_back(tls::FieldName(field));
    ReadMatch(context, reader, field, rule);
  }
  reader.Finish();
  // One whose fields are misspelt has been reported.
  if (is_map && rule.all_of.empty() && num_written == (reader.has("name") ? 1 : 0)) {
    context.diagnostics.Error({reader.where(), reader.path(), "a rule without a field to match",
                               Concat("one or more of ", Join(fields, ", ")), ""});
  }
  if (!rule.name.empty() && !names.insert(rule.name).second) {
    const std::string path = FieldPath(reader.path(), "name");
    context.diagnostics.Error({context.sources.Find(path), path,
                               Concat(Quoted(rule.name), ", the name of another rule"),
                               "a name of its own", ""});
  }
  return rule;
}

}  // namespace

void ReadPolicy(ReadContext& context, MapReader& parent, tls::PolicySpec& policy) {
  std::optional<Value> value = parent.Take("policy");
  if (!value) return;
  const bool is_map = value->node.kind == YamlKind::kMap || value->node.kind == YamlKind::kNull;
  const bool is_empty = is_map && value->node.entries.empty();
  MapReader reader(context, *std::move(value));
  std::set<std::string> names;
  reader.List("allow", [&](Value item, size_t) {
    policy.allow.push_back(ReadRule(context, std::move(item), names));
  });
  reader.List("deny", [&](Value item, size_t) {
    policy.deny.push_back(ReadRule(context, std::move(item), names));
  });
  reader.Finish();
  // Without either it would let everyone pass, in silence.
  if (is_empty) {
    context.diagnostics.Error(
        {reader.where(), reader.path(), "nothing", "allow or deny, each a list of rules", ""});
  }
}

}  // namespace portcullis::config
