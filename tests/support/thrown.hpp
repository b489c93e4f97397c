#pragma once
// The text of the error that a call throws, to compare with what a user should read.

#include <string>

#include <mien/core/error.hpp>

namespace mien::test {

template <class F>
std::string thrown(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace mien::test
