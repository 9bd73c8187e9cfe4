#pragma once
#include <stdint.h>

/// A non-blocking TCP socket of family 4 or 6, in the calling thread's network namespace.
int clinux_tcp_socket(int family);
/// connect(2) to `port` of 127.0.0.1 or ::1.
int clinux_connect_loopback(int fd, int family, uint16_t port);
/// SO_ERROR: how a connect ended; 0 where it succeeded.
int clinux_socket_error(int fd);
/// FIONREAD: bytes that can be read now; -1 where that cannot be told.
int clinux_bytes_available(int fd);
