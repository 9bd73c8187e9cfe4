// Unix sockets at paths longer than sockaddr_un holds (108 bytes).
#pragma once

/// A listening, close-on-exec stream socket named `name` in the open directory `dirfd`; -1 with errno. EADDRINUSE where the name is taken.
int clinux_unix_listen(int dirfd, const char *name, int backlog);
/// A connected, close-on-exec stream socket; -1 with errno.
int clinux_unix_connect(int dirfd, const char *name, int milliseconds);
