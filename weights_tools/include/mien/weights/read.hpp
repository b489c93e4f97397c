#pragma once
// Reads a weight file of any supported format, told by its first bytes and never by its name.
// Nothing in the file is executed. Formats that are not supported are named in the error.

#include <string>
#include <string_view>

#include <mien/weights/checkpoint.hpp>
#include <mien/weights/ncnn.hpp>
#include <mien/weights/onnx.hpp>
#include <mien/weights/torch.hpp>

namespace mien::weights {

enum class Format { torch_zip, torch_legacy, safetensors, ncnn_param, ncnn_bin, onnx };

namespace detail {

// Files that people try, and what to do with them.
struct ForeignFormat {
  std::size_t offset;
  std::string_view magic;
  std::string_view advice;
};
inline constexpr ForeignFormat foreign_formats[] = {
    {0, "\x89HDF", "is an HDF5 (Keras) file; write its tensors as safetensors from Python"},
    {4, "TFL3", "is a TensorFlow Lite model; convert it to ONNX (tf2onnx)"},
    {0, "GGUF", "is a GGUF file; use the PyTorch or safetensors file that it was made of"},
    {257, "ustar",
     "is a tar archive (PyTorch before 0.1.10); load and save it with a newer PyTorch"},
    {0, "\x1f\x8b", "is gzip-compressed; unpack it first"},
    {0, "version https://git-lfs", "is a Git LFS pointer, not the file itself (git lfs pull)"},
    {0, "<!DOCTYPE", "is a web page, not a weight file; was the download complete?"},
    {0, "<html", "is a web page, not a weight file; was the download complete?"},
    {0, "\x93NUMPY", "is a NumPy array; write the tensors as safetensors from Python"},
    {0, "\x80", "is a Python pickle that torch.save() did not write"}};

// Core ML and TensorFlow models are protobuf messages as ONNX is, which alone has a graph in
// field 7 after a small number in field 1.
inline bool looks_like_onnx(Bytes data) {
  try {
    ProtoReader reader(data, "");
    bool has_version = false;
    while (reader.next()) {
      if (reader.field() == 1) has_version = !reader.is_message();
      if (reader.field() == 7 && reader.is_message()) return has_version;
    }
  } catch (const Error&) {
    // not protobuf at all
  }
  return false;
}

inline bool looks_like_safetensors(Bytes data) {
  return data.size() > 8 && data[8] == std::byte{'{'} && data[6] == std::byte{0} &&
         data[7] == std::byte{0};
}

// A 16-bit or a plain float payload begins an ncnn .bin file.
inline bool looks_like_ncnn_bin(Bytes data) {
  const auto start = io::as_text(data).substr(0, 4);
  return start == std::string_view("\x47\x6b\x30\x01", 4) ||
         start == std::string_view("\0\0\0\0", 4);
}

}  // namespace detail

// Throws, naming what the file is or might be, where no reader exists.
inline Format sniff(Bytes data, const std::string& file) {
  const std::string_view text = io::as_text(data);
  check(!data.empty(), file, "is empty");
  if (ZipArchive::recognises(data)) return Format::torch_zip;
  if (is_torch_legacy(data)) return Format::torch_legacy;
  if (text.starts_with("7767517")) return Format::ncnn_param;
  if (detail::looks_like_safetensors(data)) return Format::safetensors;
  for (const auto& [offset, magic, advice] : detail::foreign_formats)
    check(text.size() < offset || !text.substr(offset).starts_with(magic), file, advice);
  if (detail::looks_like_ncnn_bin(data)) return Format::ncnn_bin;
  if (detail::looks_like_onnx(data)) return Format::onnx;
  check(!file.ends_with(".pb") && !file.ends_with(".mlmodel"), file,
        "is a TensorFlow or Core ML model; convert it to ONNX");
  fail(file, "is no weight file that mien reads (PyTorch, safetensors, ONNX, ncnn)");
}

namespace detail {

inline std::string with_extension(const std::string& path, std::string_view extension) {
  const auto dot = path.rfind('.');
  const bool has_one = dot != std::string::npos && path.find('/', dot) == std::string::npos;
  return str(has_one ? path.substr(0, dot) : path, extension);
}

inline Checkpoint from_safetensors(Bytes data, const std::string& file) {
  io::SafetensorsFile read = io::parse_safetensors(data, file);
  return {file, "safetensors", std::move(read.tensors), std::move(read.metadata), {}};
}

}  // namespace detail

// Reads bytes of a format that is one file. `file` is for messages.
inline Checkpoint read_checkpoint(Bytes data, const std::string& file, const Limits& limits = {}) {
  Checkpoint checkpoint;
  switch (sniff(data, file)) {
    case Format::torch_zip:
      checkpoint = read_torch_zip(data, file, limits);
      break;
    case Format::torch_legacy:
      checkpoint = read_torch_legacy(data, file, limits);
      break;
    case Format::safetensors:
      checkpoint = detail::from_safetensors(data, file);
      break;
    case Format::onnx:
      checkpoint = read_onnx(data, file, limits);
      break;
    case Format::ncnn_param:
    case Format::ncnn_bin:
      fail(file, "is one of the two files of an ncnn network");
  }
  check_names(checkpoint, limits);
  return checkpoint;
}

// Reads a file. Of an ncnn network, either file finds the other beside it by its name.
inline Checkpoint read_checkpoint(const std::string& path, const Limits& limits = {}) {
  const io::MappedFile file(path);
  const Format format = sniff(file.bytes(), path);
  if (format != Format::ncnn_param && format != Format::ncnn_bin)
    return read_checkpoint(file.bytes(), path, limits);
  const bool is_param = format == Format::ncnn_param;
  const std::string other = detail::with_extension(path, is_param ? ".bin" : ".param");
  check(::access(other.c_str(), R_OK) == 0, path, "looks like one of the two files of an ncnn ",
        "network, but ", other, " cannot be read");
  const io::MappedFile second(other);
  Checkpoint checkpoint = is_param ? read_ncnn(file.bytes(), second.bytes(), path, other, limits)
                                   : read_ncnn(second.bytes(), file.bytes(), other, path, limits);
  check_names(checkpoint, limits);
  return checkpoint;
}

}  // namespace mien::weights
