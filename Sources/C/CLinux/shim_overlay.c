#include "CLinux.h"

#include <linux/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

/// Raw calls: <sys/mount.h> and <linux/mount.h> cannot both be trusted to agree on declarations across libc versions.
static int fs_open(const char *type) { return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); }

static int fs_config(int fs, unsigned command, const char *key, const void *value) {
  return (int)syscall(SYS_fsconfig, fs, command, key, value, 0);
}

/// The context hands out messages one a read: `e overlay: …`.
static void read_message(int fs, char *text, size_t size) {
  int error = errno;
  ssize_t count = read(fs, text, size - 1);
  if (count < 0) count = 0;
  while (count > 0 && text[count - 1] == '\n') count--;
  text[count] = 0;
  errno = error;
}

static int set_option(int fs, const char *option) {
  char key[64];
  size_t length = 0;
  while (option[length] && option[length] != '=' && length + 1 < sizeof key) {
    key[length] = option[length];
    length++;
  }
  key[length] = 0;
  if (option[length] == '=') return fs_config(fs, FSCONFIG_SET_STRING, key, option + length + 1);
  return fs_config(fs, FSCONFIG_SET_FLAG, key, NULL);
}

static int set_layers(int fs, const struct shim_overlay *overlay, int *index) {
  for (uint32_t i = 0; i < overlay->lower_count; i++) {
    *index = (int)i;
    if (fs_config(fs, FSCONFIG_SET_STRING, "lowerdir+", overlay->lower[i]) < 0) return -1;
  }
  *index = -1;
  return 0;
}

static int configure(int fs, const struct shim_overlay *overlay, int *index) {
  if (fs_config(fs, FSCONFIG_SET_STRING, "source", "berth") < 0) return -1;
  if (set_layers(fs, overlay, index) < 0) return -1;
  if (overlay->upper && fs_config(fs, FSCONFIG_SET_STRING, "upperdir", overlay->upper) < 0) return -1;
  if (overlay->upper && fs_config(fs, FSCONFIG_SET_STRING, "workdir", overlay->work) < 0) return -1;
  for (uint32_t i = 0; i < overlay->option_count; i++)
    if (set_option(fs, overlay->options[i]) < 0) return -1;
  return fs_config(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
}

static int attach(int fs, const char *target) {
  int mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
  if (mount < 0) return -1;
  int result = (int)syscall(SYS_move_mount, mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
  int error = errno;
  close(mount);
  errno = error;
  return result;
}

static unsigned read_number(const char **text) {
  unsigned number = 0;
  while (**text >= '0' && **text <= '9') number = 10 * number + (unsigned)(*(*text)++ - '0');
  return number;
}

/// Whether overlay takes layers one by one. Older kernels would refuse it with a line in their log, for every container.
static int takes_layers(void) {
  struct utsname name;
  if (uname(&name) < 0) return 0;
  const char *rest = name.release;
  unsigned major = read_number(&rest);
  if (*rest == '.') rest++;
  return major > 6 || (major == 6 && read_number(&rest) >= 8);
}

int shim_mount_overlay(const struct shim_overlay *overlay, int *index, char *text, size_t size) {
  *index = -1;
  text[0] = 0;
  if (!takes_layers() || (overlay->lower_count == 0 && overlay->upper)) return shim_mount_overlay_plain(overlay, index);
  int fs = fs_open("overlay");
  if (fs < 0) return -1;
  int result = configure(fs, overlay, index);
  if (result == 0) result = attach(fs, overlay->target);
  if (result < 0) read_message(fs, text, size);
  int error = errno;
  close(fs);
  // A kernel may lack it nevertheless.
  if (result < 0 && error == EINVAL) return shim_mount_overlay_plain(overlay, index);
  errno = error;
  return result;
}
