#pragma once
// Finds the tensors in the object that torch.save() wrote: a state_dict, a dict that wraps one, or
// a whole pickled module, whose _parameters, _buffers and _modules are walked as
// Module.state_dict() walks them. Which class a module has does not matter.

#include <string>
#include <string_view>
#include <utility>

#include <mien/weights/checkpoint.hpp>
#include <mien/weights/pickle_value.hpp>
#include <mien/weights/torch_tensor.hpp>

namespace mien::weights::torch {

class StateReader {
 public:
  // Appends to `out`. The references must outlive the reader.
  StateReader(const TensorReader& tensors, const Limits& limits, Checkpoint& out)
      : tensors_(tensors), limits_(limits), out_(out) {}

  void read(const Value& root) {
    visit(unwrap(root), "", 0);
    check(!out_.tensors.empty(), out_.file, "holds no tensors: its root is ", to_string(root.kind));
  }

 private:
  using Kind = Value::Kind;

  // Keys under which training scripts keep the weights; averaged ones first, as timm and
  // Real-ESRGAN prefer them.
  static constexpr std::string_view wrapper_keys[] = {
      "params_ema", "state_dict_ema", "model_ema",        "ema",   "g_ema",
      "params",     "state_dict",     "model_state_dict", "model", "net"};

  static bool is_dict(const Value& value) {
    return value.is(Kind::dict) ||
           (value.is(Kind::object) &&
            (!value.entries.empty() || value.callee->is_symbol("collections", "OrderedDict")));
  }

  static bool is_script_module(const Value& value) {
    return value.is(Kind::object) && value.callee->is(Kind::symbol) &&
           value.callee->module.starts_with("__torch__") && value.state != nullptr &&
           is_dict(*value.state);
  }

  bool is_module(const Value& value) {
    if (!value.is(Kind::object) || value.state == nullptr || !is_dict(*value.state)) return false;
    return is_script_module(value) || find(*value.state, "_modules") != nullptr;
  }

  // Work on dicts is counted: values may refer to each other in cycles.
  void count(std::size_t entries) {
    visits_ += entries + 1;
    check(visits_ <= limits_.visits, out_.file, "is too large or refers to itself");
  }

  const Value* find(const Value& dict, std::string_view key) {
    count(dict.entries.size());
    return dict.find(key);
  }

  // Calls visit(key, value) for the entries whose key is a string.
  template <class Visit>
  void each(const Value& dict, Visit&& visit) {
    count(dict.entries.size());
    if (dict.is(Kind::object) && !dict.args->items.empty()) {  // Python 2: OrderedDict([[k, v]...])
      const Value& pairs = *dict.args->items[0];
      count(pairs.items.size());
      for (const Value* pair : pairs.items)
        if (pair->items.size() == 2 && pair->items[0]->is(Kind::text))
          visit(pair->items[0]->text, *pair->items[1]);
    }
    for (const auto& [key, value] : dict.entries)
      if (key->is(Kind::text)) visit(key->text, *value);
  }

  bool holds_tensors(const Value& value, int depth) {
    if (is_module(value)) return true;
    if (!is_dict(value)) return false;
    bool found = false;
    each(value, [&](std::string_view, const Value& v) { found |= TensorReader::is_tensor(v); });
    for (const auto key : wrapper_keys) {
      if (found || depth == 4) break;
      const Value* inner = find(value, key);
      found = inner != nullptr && holds_tensors(*inner, depth + 1);
    }
    return found;
  }

  // The state_dict or module inside wrapping dicts.
  const Value& unwrap(const Value& root) {
    const Value* value = &root;
    for (int depth = 0; depth < 4 && is_dict(*value) && !is_module(*value); ++depth) {
      const Value* inner = nullptr;
      for (const auto key : wrapper_keys) {
        inner = find(*value, key);
        if (inner != nullptr && holds_tensors(*inner, 0)) {
          std::string& path = out_.metadata["wrapper"];
          path += str(path.empty() ? "" : ".", key);
          break;
        }
        inner = nullptr;
      }
      if (inner == nullptr) break;
      value = inner;
    }
    return *value;
  }

  void visit(const Value& value, const std::string& name, std::uint64_t depth) {
    check(depth <= limits_.nesting, out_.file, "modules or dicts are nested more than ",
          limits_.nesting, " deep, at ", name);
    if (TensorReader::is_tensor(value)) {
      add(value, name);
    } else if (is_script_module(value)) {
      visit_entries(*value.state, name, depth);
    } else if (is_module(value)) {
      visit_module(value, name, depth);
    } else if (is_dict(value)) {
      visit_entries(value, name, depth);
    }
  }

  void visit_entries(const Value& dict, const std::string& name, std::uint64_t depth) {
    each(dict, [&](std::string_view key, const Value& value) {
      visit(value, joined(name, key), depth + 1);
    });
  }

  void visit_module(const Value& module, const std::string& name, std::uint64_t depth) {
    const Value& state = *module.state;
    record(module, name);
    if (const Value* parameters = find(state, "_parameters")) add_all(*parameters, name, nullptr);
    if (const Value* buffers = find(state, "_buffers"))
      add_all(*buffers, name, find(state, "_non_persistent_buffers_set"));
    each(*find(state, "_modules"), [&](std::string_view key, const Value& child) {
      if (!child.is(Kind::none)) visit(child, joined(name, key), depth + 1);
    });
  }

  // The tensors of a module's own dict; those named in the set `except` are not part of the state.
  void add_all(const Value& dict, const std::string& name, const Value* except) {
    each(dict, [&](std::string_view key, const Value& value) {
      if (value.is(Kind::none) || (except != nullptr && contains(*except, key))) return;
      const std::string full = joined(name, key);
      check(TensorReader::is_tensor(value), str(out_.file, ": tensor ", full), "is stored as ",
            to_string(value.kind));
      add(value, full);
    });
  }

  // Whether a set, pickled as such or as the call set([...]), has a text.
  bool contains(const Value& set, std::string_view text) {
    const bool call = set.is(Kind::object) && !set.args->items.empty();
    const auto& items = call ? set.args->items[0]->items : set.items;
    count(items.size());
    for (const Value* item : items)
      if (item->is_text(text)) return true;
    return false;
  }

  void add(const Value& value, const std::string& name) {
    check(out_.tensors.size() < limits_.tensors, out_.file, "more than ", limits_.tensors,
          " tensors");
    out_.tensors.emplace_back(name, tensors_.read(value, name));
  }

  void record(const Value& module, const std::string& name) {
    ModuleRecord record{name, std::string(class_name(module)), {}};
    each(*module.state, [&](std::string_view key, const Value& value) {
      if (key.starts_with('_') || key == "training") return;
      if (value.is(Kind::real)) record.numbers.emplace(key, value.real);
      if (value.is(Kind::integer) || value.is(Kind::boolean))
        record.numbers.emplace(key, static_cast<double>(value.integer));
    });
    check(out_.modules.size() < limits_.tensors, out_.file, "more than ", limits_.tensors,
          " modules");
    out_.modules.push_back(std::move(record));
  }

  // Legacy files may name a class by the persistent id ('module', class, source file, source).
  static std::string_view class_name(const Value& module) {
    const Value* type = module.callee;
    if (type->is(Kind::persistent) && type->args->items.size() > 1) type = type->args->items[1];
    return type->is(Kind::symbol) ? type->text.substr(0, 256) : std::string_view{};
  }

  std::string joined(const std::string& name, std::string_view key) const {
    check(name.size() + key.size() < limits_.name_length, out_.file, "a tensor name of ",
          name.size() + key.size() + 1, " bytes");
    return name.empty() ? std::string(key) : str(name, '.', key);
  }

  const TensorReader& tensors_;
  const Limits& limits_;
  Checkpoint& out_;
  std::uint64_t visits_ = 0;
};

}  // namespace mien::weights::torch
