#include "CLinux.h"

#include <arpa/inet.h>

int clinux_address_family(const char *text) {
  unsigned char bytes[16];
  if (inet_pton(AF_INET, text, bytes) == 1) return 4;
  return inet_pton(AF_INET6, text, bytes) == 1 ? 6 : 0;
}
