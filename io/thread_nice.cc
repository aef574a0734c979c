#include "io/thread_nice.h"

#include <sys/resource.h>

namespace portcullis::io {

void BeNice(int nice) {
  // On Linux the "process" 0 is the calling thread alone (setpriority(2), "C library/kernel
  // differences").
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, nice));
}

}  // namespace portcullis::io
