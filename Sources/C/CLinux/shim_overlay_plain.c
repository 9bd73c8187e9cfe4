#include "CLinux.h"

#include <sys/mount.h>

// Kernels before 6.8 take a filesystem's options as one page of text, in which ':' and ',' have a meaning. Where the paths do not fit or
// have such characters, the directories are opened and named by their descriptors: 127 layers are some 2 kB then.

enum { page = 4096 };

struct text {
  char bytes[page];
  size_t length;
  int overflow;
};

static void add_bytes(struct text *text, const char *part, size_t length) {
  if (text->length + length >= page) {
    text->overflow = 1;
    return;
  }
  memcpy(text->bytes + text->length, part, length);
  text->length += length;
}

static void add(struct text *text, const char *part) { add_bytes(text, part, strlen(part)); }

/// In a child only async-signal-safe calls may be made, which snprintf is not.
static void add_number(struct text *text, unsigned number) {
  char digits[12];
  size_t first = sizeof digits - 1;
  digits[first] = 0;
  do digits[--first] = (char)('0' + number % 10);
  while (number /= 10);
  add(text, digits + first);
}

static int is_plain(const char *path) { return strpbrk(path, ":,\\") == NULL; }

/// Adds a directory by its path, or where `opened` is given by a descriptor that is kept open there.
static int add_directory(struct text *text, const char *path, int *opened) {
  if (!opened) {
    if (!is_plain(path)) text->overflow = 1;
    add(text, path);
    return 0;
  }
  *opened = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (*opened < 0) return -1;
  add(text, "/proc/self/fd/");
  add_number(text, (unsigned)*opened);
  return 0;
}

/// A label has commas of its own.
static void add_option(struct text *text, const char *option) {
  const char *value = strchr(option, ',') ? strchr(option, '=') : NULL;
  if (!value) {
    add(text, option);
    return;
  }
  add_bytes(text, option, (size_t)(value - option));
  add(text, "=\"");
  add(text, value + 1);
  add(text, "\"");
}

static int compose(struct text *text, const struct shim_overlay *overlay, int *opened, int *index) {
  uint32_t count = overlay->lower_count;
  add(text, "lowerdir=");
  for (uint32_t i = 0; i < count; i++) {
    *index = (int)i;
    if (i) add(text, ":");
    if (add_directory(text, overlay->lower[i], opened ? &opened[i] : NULL) < 0) return -1;
  }
  *index = -1;
  if (overlay->upper) {
    add(text, ",upperdir=");
    if (add_directory(text, overlay->upper, opened ? &opened[count] : NULL) < 0) return -1;
    add(text, ",workdir=");
    if (add_directory(text, overlay->work, opened ? &opened[count + 1] : NULL) < 0) return -1;
  }
  for (uint32_t i = 0; i < overlay->option_count; i++) {
    add(text, ",");
    add_option(text, overlay->options[i]);
  }
  return 0;
}

static int mount_text(struct text *text, const char *target) {
  if (text->overflow) {
    errno = E2BIG;
    return -1;
  }
  return mount("berth", target, "overlay", 0, text->bytes);
}

static int mount_by_descriptors(struct text *text, const struct shim_overlay *overlay, int *index) {
  uint32_t count = overlay->lower_count + 2;
  int opened[count];
  for (uint32_t i = 0; i < count; i++) opened[i] = -1;
  *text = (struct text){0};
  int result = compose(text, overlay, opened, index);
  if (result == 0) result = mount_text(text, overlay->target);
  int error = errno;
  for (uint32_t i = 0; i < count; i++)
    if (opened[i] >= 0) close(opened[i]);
  errno = error;
  return result;
}

int shim_mount_overlay_plain(const struct shim_overlay *overlay, int *index) {
  *index = -1;
  // A directory that is complete by itself.
  if (overlay->lower_count == 0 && overlay->upper) return mount(overlay->upper, overlay->target, NULL, MS_BIND, NULL);
  struct text text = {0};
  compose(&text, overlay, NULL, index);
  if (text.overflow) return mount_by_descriptors(&text, overlay, index);
  return mount_text(&text, overlay->target);
}
