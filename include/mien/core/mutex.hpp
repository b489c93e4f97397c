#pragma once
// A scoped lock on a POSIX mutex: <mutex> alone costs more to parse than most of mien's headers.

#include <pthread.h>

namespace mien::detail {

struct AlreadyLocked {};

class MutexLock {
 public:
  explicit MutexLock(pthread_mutex_t& mutex) : mutex_(mutex) { pthread_mutex_lock(&mutex_); }
  MutexLock(pthread_mutex_t& mutex, AlreadyLocked) : mutex_(mutex) {}
  ~MutexLock() { pthread_mutex_unlock(&mutex_); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  pthread_mutex_t& mutex_;
};

}  // namespace mien::detail
