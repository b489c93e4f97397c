#pragma once
// Devices: where a tensor's storage lives, and the tags by which backends overload their kernels.

#include <string>

#include <mien/core/error.hpp>

namespace mien {

enum class DeviceType : unsigned char { cpu, cuda };

struct Device {
  DeviceType type = DeviceType::cpu;
  int index = 0;
  friend bool operator==(Device a, Device b) { return a.type == b.type && a.index == b.index; }
};

inline std::string to_string(Device device) {
  return device.type == DeviceType::cpu ? "cpu" : str("cuda:", device.index);
}

// Backends overload kernel launchers on these tags.
struct Cpu {};

// Calls f with the tag of the device's backend. A backend that was not built in gives one error.
template <class F>
decltype(auto) with_device(Device device, F&& f) {
  check(device.type == DeviceType::cpu, "device", device,
        " asked for, this program was built without CUDA");
  return f(Cpu{});
}

}  // namespace mien
