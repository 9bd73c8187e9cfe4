#include "loop_device.h"

#include "CLinux.h"

#include <linux/loop.h>
#include <sys/ioctl.h>

int clinux_free_loop_device(int control) { return ioctl(control, LOOP_CTL_GET_FREE); }

int clinux_configure_loop_device(int loop, int backing, const char *name, unsigned block_size) {
  struct loop_config config = {.fd = (unsigned)backing, .block_size = block_size};
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  strncpy((char *)config.info.lo_file_name, name, LO_NAME_SIZE - 1);
  return ioctl(loop, LOOP_CONFIGURE, &config);
}
