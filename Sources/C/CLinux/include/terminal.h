// Terminals: what ioctl(2) hides from Swift.
#pragma once

/// TIOCGWINSZ. 0 and the size, or -1 with errno (ENOTTY for what is no terminal).
int clinux_terminal_size(int fd, int *columns, int *rows);
